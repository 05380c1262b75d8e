using KubeProxy.Netlink;

namespace KubeProxy.Benchmarks;

/// <summary>Writes down every datagram that is sent, for a replay without anything around it; several may share a file.</summary>
internal sealed class RecordingTransport(INetlinkTransport inner, NetlinkProtocol protocol, BinaryWriter file) : INetlinkTransport
{
    public uint PortId => inner.PortId;

    public void Send(ReadOnlySpan<ReadOnlyMemory<byte>> parts)
    {
        var length = 0;
        foreach (var part in parts) length += part.Length;
        lock (file)
        {
            file.Write(length);
            file.Write((int)protocol);
            foreach (var part in parts) file.Write(part.Span);
        }

        inner.Send(parts);
    }

    public bool TryReceive(Span<byte> buffer, out int length) => inner.TryReceive(buffer, out length);

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) => inner.ReceiveAsync(buffer, cancellationToken);

    public void Join(uint group) => inner.Join(group);

    public void Leave(uint group) => inner.Leave(group);

    public void Dispose() => inner.Dispose();
}
