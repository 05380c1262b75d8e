using KubeProxy.Core.Model;
using static Tmds.Linux.LibC;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>
/// The socket that answers for one address and port, there as long as there are flows to it. Its number is bounded by that of
/// the flows. Behind tproxy nothing arrives here; otherwise what arrives is relayed as well.
/// </summary>
internal sealed class UdpFrontend(UdpRelay relay, IpEndpoint address, RelayInlet inlet, int socket) : IReadiness
{
    private int _slot = -1;

    public IpEndpoint Address { get; } = address;

    public int Socket { get; private set; } = socket;

    /// <summary>How many flows need it.</summary>
    public int Flows { get; set; }

    /// <summary>Has the loop tell of datagrams. Returns an errno.</summary>
    public int Watch() => relay.Loop.Register(Socket, this, EPOLLIN, out _slot);

    /// <inheritdoc/>
    public void OnReady(int happenings) => relay.Receive(Socket, inlet, Address);

    /// <summary>Nothing: a failure is that of one datagram.</summary>
    public void Abandon() { }

    public void Close()
    {
        if (_slot >= 0) relay.Loop.Release(_slot);
        if (Socket >= 0) _ = close(Socket);
        (_slot, Socket) = (-1, -1);
    }
}
