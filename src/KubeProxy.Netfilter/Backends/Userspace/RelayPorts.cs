using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Relay;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>The ports of this process that connections are given to, all on the loopback address.</summary>
internal readonly record struct RelayPorts(ushort Tcp, ushort Udp, ushort ShortCircuitTcp, ushort ShortCircuitUdp)
{
    public static RelayPorts Of(RelayServer relay) => new(relay.TcpPort, relay.UdpPort, relay.ShortCircuitTcpPort, relay.ShortCircuitUdpPort);

    public ushort Of(Protocol protocol, RelayEntrance entrance) => (protocol, entrance) switch
    {
        (Protocol.Tcp, RelayEntrance.Frontend) => Tcp,
        (Protocol.Tcp, _) => ShortCircuitTcp,
        (_, RelayEntrance.Frontend) => Udp,
        _ => ShortCircuitUdp,
    };
}
