using KubeProxy.Netlink;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>Stands between a client and its socket, and changes or loses what passes.</summary>
internal sealed class WireTap(INetlinkTransport socket) : INetlinkTransport
{
    private bool _lost;

    /// <summary>Changes a datagram in place before it is sent.</summary>
    public Action<byte[]>? Alter { get; set; }

    /// <summary>Asked of each batch once it is to be sent: what becomes of it.</summary>
    public Func<BatchFate>? FateOfBatch { get; set; }

    /// <summary>The batches that reached the kernel.</summary>
    public int Batches { get; private set; }

    public uint PortId => socket.PortId;

    public void Send(ReadOnlySpan<ReadOnlyMemory<byte>> parts)
    {
        using var gathered = new MemoryStream();
        foreach (var part in parts) gathered.Write(part.Span);
        var datagram = gathered.ToArray();
        var isBatch = BitConverter.ToUInt16(datagram, 4) == 0x10; // NFNL_MSG_BATCH_BEGIN
        var fate = isBatch ? FateOfBatch?.Invoke() ?? BatchFate.Delivered : BatchFate.Delivered;
        _lost |= fate != BatchFate.Delivered;
        if (fate == BatchFate.Vanished) return;
        if (isBatch) Batches++;
        Alter?.Invoke(datagram);
        socket.Send([datagram]);
    }

    public bool TryReceive(Span<byte> buffer, out int length)
    {
        if (!_lost) return socket.TryReceive(buffer, out length);
        while (socket.TryReceive(buffer, out _))
        {
            // As in a receive buffer that is full: the answers are gone.
        }

        _lost = false;
        throw new NetlinkOverrunException("receive");
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        socket.ReceiveAsync(buffer, cancellationToken);

    public void Join(uint group) => socket.Join(group);

    public void Leave(uint group) => socket.Leave(group);

    public void Dispose() => socket.Dispose();
}

/// <summary>What a <see cref="WireTap"/> does to a batch.</summary>
internal enum BatchFate
{
    Delivered,

    /// <summary>The kernel gets it, but its answers are lost (ENOBUFS).</summary>
    Unanswered,

    /// <summary>The kernel does not get it, and the client is told that answers were lost.</summary>
    Vanished,
}
