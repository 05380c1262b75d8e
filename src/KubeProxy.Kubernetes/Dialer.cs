using System.Net;
using System.Net.Sockets;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Connects to the first of several addresses that answers. The next one is tried as soon as one refuses, or has said nothing for a
/// moment; those that said nothing may still answer, and are called again each second, because the kernel repeats the first packet of a
/// connection after 1, 3, 7 and 15 seconds: too late on a link that has just come back. Thread-safe.
/// </summary>
internal sealed class Dialer(TimeProvider time)
{
    /// <summary>How long an address may say nothing before the next one is tried as well (RFC 8305, section 5).</summary>
    private static readonly TimeSpan NextAddress = TimeSpan.FromMilliseconds(250);

    /// <summary>How long all of them may say nothing before they are called again.</summary>
    private static readonly TimeSpan NextRound = TimeSpan.FromSeconds(1);

    /// <summary>How long an address that did not answer is tried after all others.</summary>
    private static readonly TimeSpan BadTime = TimeSpan.FromMinutes(1);

    private const int MaxSockets = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, long> _bad = [];

    /// <summary>Connects.</summary>
    /// <param name="addresses">The addresses, in the order of the resolver; those of the first one's family come first.</param>
    /// <param name="port">The port.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SocketException">All of them refused.</exception>
    public async Task<NetworkStream> ConnectAsync(IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancellationToken)
    {
        if (addresses.Count == 0) throw new SocketException((int)SocketError.HostNotFound);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var calls = new List<Task<Call>>();
        try
        {
            return await FirstAsync(calls, Sort(addresses), port, stop.Token);
        }
        finally
        {
            await stop.CancelAsync();
            foreach (var call in calls) _ = HangUpAsync(call);
        }
    }

    private async Task<NetworkStream> FirstAsync(List<Task<Call>> calls, IPAddress[] addresses, int port, CancellationToken stop)
    {
        var next = new Queue<IPAddress>(addresses);
        var silent = new HashSet<IPAddress>();
        while (true)
        {
            if (calls.Count < MaxSockets && next.TryDequeue(out var address))
            {
                calls.Add(CallAsync(address, port, stop));
                silent.Add(address);
            }

            var call = await AnswerAsync(calls, next.Count > 0 ? NextAddress : NextRound, stop);
            if (call is null)
            {
                if (next.Count == 0) next = new Queue<IPAddress>(silent);
                continue;
            }

            silent.Remove(call.Address);
            Mark(call.Address, isBad: call.Error is not null);
            if (call.Error is null)
            {
                foreach (var other in silent) Mark(other, isBad: true);
                return new NetworkStream(call.Socket, ownsSocket: true);
            }

            if (calls.Count + next.Count == 0) throw call.Error;
        }
    }

    /// <summary>The first answer, which is taken off the list; null when there was none for so long.</summary>
    private async Task<Call?> AnswerAsync(List<Task<Call>> calls, TimeSpan wait, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var silence = Task.Delay(wait, time, patience.Token);
        await Task.WhenAny([silence, .. calls]);
        await patience.CancelAsync();
        stop.ThrowIfCancellationRequested();
        if (calls.Find(call => call.IsCompleted) is not { } answered) return null;
        calls.Remove(answered);
        return await answered;
    }

    /// <summary>Good ones first; of the family that the resolver prefers; else in any order, so that nodes spread over the servers.</summary>
    private IPAddress[] Sort(IReadOnlyList<IPAddress> addresses)
    {
        lock (_gate)
        {
            return
            [
                .. addresses.OrderBy(address => _bad.TryGetValue(address, out var since) && time.GetElapsedTime(since) < BadTime)
                    .ThenBy(address => address.AddressFamily != addresses[0].AddressFamily)
                    .ThenBy(_ => Random.Shared.Next()),
            ];
        }
    }

    private void Mark(IPAddress address, bool isBad)
    {
        lock (_gate)
        {
            if (isBad) _bad[address] = time.GetTimestamp();
            else _bad.Remove(address);
        }
    }

    private static async Task<Call> CallAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            SocketLiveness.Apply(socket);
            await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
            return new Call(address, socket, null);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return new Call(address, socket, e);
        }
    }

    /// <summary>Of those that answer too late.</summary>
    private static async Task HangUpAsync(Task<Call> call) => (await call).Socket.Dispose();

    private sealed record Call(IPAddress Address, Socket Socket, Exception? Error);
}
