using System.Buffers;

namespace KubeProxy.Netlink;

/// <summary>
/// Requests and their answers over a transport. One request is under way at a time; callers on any thread queue up. A request
/// that was cancelled or failed half-way does not disturb the next: whatever is left of its answers is dropped.
/// The kernel does its work in the system call that sends the request, on the caller's thread: a large batch takes as long
/// as the kernel needs to commit it.
/// </summary>
public sealed partial class NetlinkChannel : IDisposable
{
    private const int ReceiveBufferSize = 64 * 1024;

    // What the kernel answers to one request, other than a dump, is in datagrams of less than a page (NLMSG_GOODSIZE).
    private const int AnswerSize = 4 * 1024;
    private const int MaxDumpAttempts = 8;

    private readonly INetlinkTransport _transport;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private uint _sequence;
    private NetlinkCounters _counters;

    /// <summary>Takes over the transport, and disposes it with itself.</summary>
    public NetlinkChannel(INetlinkTransport transport) => _transport = transport;

    /// <summary>The port id of the transport: notifications of what this channel did carry it.</summary>
    public uint PortId => _transport.PortId;

    /// <summary>What was sent so far.</summary>
    public NetlinkCounters Counters => _counters;

    /// <summary>Opens a socket in the network namespace of the calling thread; see <see cref="NetlinkSocket.Open"/>.</summary>
    public static NetlinkChannel Open(NetlinkProtocol protocol, NetlinkSocketOptions? options = null) =>
        new(NetlinkSocket.Open(protocol, options));

    /// <summary>Sends one request that changes something and waits for its acknowledgement.</summary>
    /// <param name="operation">What it is, for error messages.</param>
    /// <param name="request">One message; the flags REQUEST and ACK are added.</param>
    /// <param name="cancellationToken">Gives up waiting; the kernel may still do what was asked.</param>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    /// <exception cref="NetlinkOverrunException">The outcome is unknown.</exception>
    public async Task ExecuteAsync(string operation, NlMsgWriter request, CancellationToken cancellationToken = default)
    {
        using var turn = await EnterAsync(cancellationToken);
        SendSingle(request, NlMsgFlags.Request | NlMsgFlags.Ack, isWrite: true);
        await turn.AnswerAsync(operation, _sequence, null, cancellationToken);
    }

    /// <summary>Sends one request that reads something and waits for the whole answer.</summary>
    /// <param name="operation">What it is, for error messages.</param>
    /// <param name="request">One message; the flags REQUEST and ACK are added.</param>
    /// <param name="visit">Is given the messages of the answer.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public async Task GetAsync(
        string operation, NlMsgWriter request, NlMessageVisitor visit, CancellationToken cancellationToken = default)
    {
        using var turn = await EnterAsync(cancellationToken);
        SendSingle(request, NlMsgFlags.Request | NlMsgFlags.Ack, isWrite: false);
        await turn.AnswerAsync(operation, _sequence, visit, cancellationToken);
    }

    /// <summary>
    /// Sends independent requests that read something as one datagram, and waits for all answers. They have to fit the receive buffer: each message
    /// accounts for about 1 KiB of it (see <see cref="NetlinkSocketOptions.ReceiveBuffer"/>). A refusal does not stop the others.
    /// </summary>
    /// <param name="operation">What it is, for error messages.</param>
    /// <param name="requests">Messages; the flags REQUEST and ACK are added to each.</param>
    /// <param name="visit">Is given the messages of the answers, in the order of the requests.</param>
    /// <param name="cancellationToken">Gives up before they are sent.</param>
    /// <returns>The refused requests. What was visited of one before it was refused counts.</returns>
    /// <exception cref="NetlinkOverrunException">Some answers were lost.</exception>
    public async Task<IReadOnlyList<NetlinkMessageError>> GetManyAsync(
        string operation, NlMsgWriter requests, NlAnswerVisitor visit, CancellationToken cancellationToken = default)
    {
        using var turn = await EnterAsync(cancellationToken);
        if (requests.MessageCount == 0) return [];
        var segments = requests.Segments();
        var first = NextSequences(requests.MessageCount);
        Stamp(segments, first, NlMsgFlags.Request | NlMsgFlags.Ack, acknowledged: -1);
        Send(segments, requests.MessageCount, isWrite: false);
        var answers = turn.CollectAll(first, requests.MessageCount, acknowledged: requests.MessageCount - 1, visit);
        return answers.IsComplete ? answers.Errors : throw new NetlinkOverrunException(operation);
    }

    /// <summary>Dumps objects. Nothing of the answer is kept.</summary>
    /// <param name="operation">What it is, for error messages.</param>
    /// <param name="request">One message; the flags REQUEST and DUMP are added.</param>
    /// <param name="visit">Is given each object's message.</param>
    /// <param name="restart">
    /// Called when the objects changed during the dump and it begins anew, at most seven times: forget what was visited.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NetlinkException">The kernel refused it; EINTR when it was disturbed again and again.</exception>
    public async Task DumpAsync(
        string operation, NlMsgWriter request, NlMessageVisitor visit, Action? restart = null,
        CancellationToken cancellationToken = default)
    {
        using var turn = await EnterAsync(cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            SendSingle(request, NlMsgFlags.Request | NlMsgFlags.Dump, isWrite: false);
            if (await turn.AnswerAsync(operation, _sequence, visit, cancellationToken)) return;
            if (attempt == MaxDumpAttempts) throw new NetlinkException(operation, Errno.Interrupted, sequence: _sequence);
            turn.DropStaleAnswers();
            restart?.Invoke();
        }
    }

    /// <summary>
    /// Sends all messages as one datagram: an nfnetlink batch, from BATCH_BEGIN to BATCH_END. Only the last operation is
    /// acknowledged; the kernel answers each refused message without being asked.
    /// </summary>
    /// <param name="operation">What it is, for error messages.</param>
    /// <param name="batch">At least three messages; the flag REQUEST is added to each.</param>
    /// <param name="cancellationToken">Gives up before the batch is sent; afterwards the outcome is awaited.</param>
    /// <returns>Every refusal; the kernel applied the batch if there is none, and nothing of it otherwise.</returns>
    /// <exception cref="NetlinkOverrunException">The outcome is unknown.</exception>
    /// <exception cref="NetlinkException">The batch could not be sent; nothing was done.</exception>
    public async Task<NetlinkBatchResult> ExecuteBatchAsync(
        string operation, NlMsgWriter batch, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch.MessageCount, 3);
        using var turn = await EnterAsync(cancellationToken);
        var segments = batch.Segments();
        var first = NextSequences(batch.MessageCount);
        Stamp(segments, first, NlMsgFlags.Request, acknowledged: batch.MessageCount - 2);
        Send(segments, batch.MessageCount, isWrite: true);
        var answers = turn.CollectAll(first, batch.MessageCount, acknowledged: batch.MessageCount - 2);
        // One refusal aborts the whole batch, so it tells the outcome even if others were lost.
        if (!answers.IsComplete && answers.Errors.Count == 0) throw new NetlinkOverrunException(operation);
        return new NetlinkBatchResult(answers.Errors, batch.MessageCount, batch.Length) { IsIncomplete = !answers.IsComplete };
    }

    /// <summary>
    /// Sends independent requests, some at a time so that their acknowledgements fit the receive buffer. A refusal does not
    /// stop the others.
    /// </summary>
    /// <param name="operation">What it is, for error messages.</param>
    /// <param name="requests">Messages; the flags REQUEST and ACK are added to each.</param>
    /// <param name="cancellationToken">Gives up between two datagrams.</param>
    /// <exception cref="NetlinkOverrunException">The outcome of some is unknown.</exception>
    public async Task<NetlinkBatchResult> ExecuteManyAsync(
        string operation, NlMsgWriter requests, CancellationToken cancellationToken = default)
    {
        const int AtATime = 64;
        using var turn = await EnterAsync(cancellationToken);
        var segments = requests.Segments();
        var first = NextSequences(requests.MessageCount);
        Stamp(segments, first, NlMsgFlags.Request | NlMsgFlags.Ack, acknowledged: -1);
        List<NetlinkMessageError> errors = [];
        var index = 0;
        foreach (var segment in segments)
        {
            for (var rest = segment; !rest.IsEmpty;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var length = LengthOf(rest.Span, AtATime, out var count);
                Send([rest[..length]], count, isWrite: true);
                var answers = turn.CollectAll(first + (uint)index, count, acknowledged: count - 1);
                if (!answers.IsComplete) throw new NetlinkOverrunException(operation);
                foreach (var error in answers.Errors) errors.Add(error with { MessageIndex = error.MessageIndex + index });
                index += count;
                rest = rest[length..];
            }
        }

        return new NetlinkBatchResult(errors, requests.MessageCount, requests.Length);
    }

    /// <summary>Closes the transport. A request under way fails with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose() => _transport.Dispose();

    private async ValueTask<Turn> EnterAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        var turn = new Turn(this, ArrayPool<byte>.Shared.Rent(ReceiveBufferSize));
        try
        {
            turn.DropStaleAnswers();
            return turn;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    private void SendSingle(NlMsgWriter request, NlMsgFlags flags, bool isWrite)
    {
        if (request.MessageCount != 1) throw new ArgumentException("Exactly one message is expected.", nameof(request));
        var segments = request.Segments();
        Stamp(segments, NextSequences(1), flags, acknowledged: -1);
        Send(segments, 1, isWrite);
    }

    private void Send(ReadOnlySpan<ReadOnlyMemory<byte>> segments, int messages, bool isWrite)
    {
        _transport.Send(segments);
        long bytes = 0;
        foreach (var segment in segments) bytes += segment.Length;
        _counters = new NetlinkCounters(_counters.Datagrams + 1, _counters.Messages + messages, _counters.Bytes + bytes,
            _counters.WriteMessages + (isWrite ? messages : 0));
    }

    /// <summary>Takes that many consecutive numbers; 0 is never among them, because notifications bear it.</summary>
    private uint NextSequences(int count)
    {
        if (_sequence > uint.MaxValue - (uint)count) _sequence = 0;
        var first = _sequence + 1;
        _sequence += (uint)count;
        return first;
    }
}
