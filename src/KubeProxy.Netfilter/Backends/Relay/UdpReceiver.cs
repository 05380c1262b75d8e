using static Tmds.Linux.LibC;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>The socket of an inlet for UDP, which tells for each datagram where it was sent to.</summary>
internal sealed class UdpReceiver : IReadiness
{
    private readonly UdpRelay _relay;
    private readonly RelayInlet _inlet;
    private readonly int _socket;
    private readonly int _slot;

    public UdpReceiver(UdpRelay relay, int socket, RelayInlet inlet)
    {
        (_relay, _socket, _inlet) = (relay, socket, inlet);
        var error = relay.Loop.Register(socket, this, EPOLLIN, out _slot);
        if (error != 0) throw new RelayException("watch a UDP socket", error);
    }

    /// <inheritdoc/>
    public void OnReady(int happenings) => _relay.Receive(_socket, _inlet, null);

    /// <summary>Nothing: a failure is that of one datagram.</summary>
    public void Abandon() { }

    public void Close()
    {
        _relay.Loop.Release(_slot);
        _ = close(_socket);
    }
}
