using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace KubeProxy.Netlink.Testing;

/// <summary>
/// A transport without a kernel: a script answers each datagram sent, and tests push notifications. Everything above the
/// transport runs as in production.
/// </summary>
/// <param name="answer">
/// Is given each datagram sent and returns the datagrams to be received for it, in order; see <see cref="ScriptedReply"/>.
/// May throw what a transport throws, which fails the send.
/// </param>
/// <param name="portId">The port id.</param>
public sealed class ScriptedNetlinkTransport(Func<byte[], IEnumerable<byte[]>> answer, uint portId = 4711) : INetlinkTransport
{
    private readonly Channel<byte[]?> _incoming = Channel.CreateUnbounded<byte[]?>();
    private readonly ConcurrentQueue<byte[]> _sent = new();
    private readonly ConcurrentDictionary<uint, bool> _groups = new();

    /// <inheritdoc/>
    public uint PortId => portId;

    /// <summary>The datagrams sent so far.</summary>
    public IReadOnlyList<byte[]> Sent => [.. _sent];

    /// <summary>The multicast groups joined.</summary>
    public IReadOnlyCollection<uint> Groups => [.. _groups.Keys];

    /// <summary>Whether the transport was disposed.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Makes a datagram receivable.</summary>
    public void Push(byte[] datagram) => _incoming.Writer.TryWrite(datagram);

    /// <summary>Makes the next receive fail with a lost-data error (ENOBUFS).</summary>
    public void PushOverrun() => _incoming.Writer.TryWrite(null);

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<ReadOnlyMemory<byte>> parts)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        using var datagram = new MemoryStream();
        foreach (var part in parts) datagram.Write(part.Span);
        var bytes = datagram.ToArray();
        _sent.Enqueue(bytes);
        foreach (var reply in answer(bytes)) Push(reply);
    }

    /// <inheritdoc/>
    public bool TryReceive(Span<byte> buffer, out int length)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        length = 0;
        if (!_incoming.Reader.TryRead(out var datagram)) return false;
        length = Take(datagram, buffer);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return Take(await _incoming.Reader.ReadAsync(cancellationToken), buffer.Span);
        }
        catch (ChannelClosedException error)
        {
            throw new ObjectDisposedException(nameof(ScriptedNetlinkTransport), error);
        }
    }

    /// <inheritdoc/>
    public void Join(uint group) => _groups[group] = true;

    /// <inheritdoc/>
    public void Leave(uint group) => _groups.TryRemove(group, out _);

    /// <inheritdoc/>
    public void Dispose()
    {
        IsDisposed = true;
        _incoming.Writer.TryComplete();
    }

    private static int Take(byte[]? datagram, Span<byte> buffer)
    {
        if (datagram is null) throw new NetlinkOverrunException("receive from the script");
        if (datagram.Length > buffer.Length) throw new NetlinkException("receive from the script", Errno.MessageTooLong);
        datagram.CopyTo(buffer);
        return datagram.Length;
    }
}

/// <summary>Makes the datagrams of a <see cref="ScriptedNetlinkTransport"/>.</summary>
public static class ScriptedReply
{
    /// <summary>The headers of the messages in a datagram.</summary>
    public static IReadOnlyList<NlMsgHeader> Headers(byte[] datagram)
    {
        List<NlMsgHeader> headers = [];
        foreach (var message in new NlMessages(datagram)) headers.Add(message.Header);
        return headers;
    }

    /// <summary>A message with a sequence number of choice.</summary>
    public static byte[] Message(ushort type, NlMsgFlags flags, uint sequence, ReadOnlySpan<byte> body = default)
    {
        var bytes = new byte[NlMsgHeader.Align(NlMsgHeader.Size + body.Length)];
        MemoryMarshal.Write(bytes, (uint)(NlMsgHeader.Size + body.Length));
        MemoryMarshal.Write(bytes.AsSpan(4), type);
        MemoryMarshal.Write(bytes.AsSpan(6), (ushort)flags);
        MemoryMarshal.Write(bytes.AsSpan(8), sequence);
        body.CopyTo(bytes.AsSpan(NlMsgHeader.Size));
        return bytes;
    }

    /// <summary>What a writer wrote, numbered as the answer to a request.</summary>
    public static byte[] Messages(uint sequence, NlMsgWriter writer)
    {
        var bytes = writer.ToArray();
        for (var at = 0; at < bytes.Length;)
        {
            MemoryMarshal.Write(bytes.AsSpan(at + 8), sequence);
            at += NlMsgHeader.Align((int)MemoryMarshal.Read<uint>(bytes.AsSpan(at)));
        }

        return bytes;
    }

    /// <summary>An ERROR message; with errno 0 an acknowledgement. Never echoes the request (capped).</summary>
    /// <param name="request">The header of the request.</param>
    /// <param name="errno">The errno, positive, or 0.</param>
    /// <param name="extended">The bytes of extended acknowledgement attributes.</param>
    public static byte[] Error(NlMsgHeader request, int errno, ReadOnlySpan<byte> extended = default)
    {
        var body = new byte[4 + NlMsgHeader.Size + extended.Length];
        MemoryMarshal.Write(body, -errno);
        Message(request.Type, request.Flags, request.Sequence).CopyTo(body.AsSpan(4));
        MemoryMarshal.Write(body.AsSpan(4), request.Length);
        extended.CopyTo(body.AsSpan(4 + NlMsgHeader.Size));
        var flags = extended.IsEmpty ? NlMsgFlags.Capped : NlMsgFlags.Capped | NlMsgFlags.AckTlvs;
        return Message(NlMsgHeader.Error, flags, request.Sequence, body);
    }

    /// <summary>An acknowledgement.</summary>
    public static byte[] Ack(NlMsgHeader request) => Error(request, 0);

    /// <summary>The end of a multipart answer.</summary>
    public static byte[] Done(uint sequence, int errno = 0, NlMsgFlags flags = NlMsgFlags.None)
    {
        var body = new byte[4];
        MemoryMarshal.Write(body, -errno);
        return Message(NlMsgHeader.Done, NlMsgFlags.Multi | flags, sequence, body);
    }
}
