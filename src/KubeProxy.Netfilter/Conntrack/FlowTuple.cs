using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>One direction of a connection as the packets bear it.</summary>
/// <param name="Protocol">The transport protocol; also values that the enum does not name, such as 1 for ICMP.</param>
/// <param name="Source">Where packets come from.</param>
/// <param name="Destination">Where packets go.</param>
/// <param name="SourcePort">The source port; 0 for protocols without ports.</param>
/// <param name="DestinationPort">The destination port; 0 for protocols without ports.</param>
public readonly record struct FlowTuple(Protocol Protocol, IpAddr Source, IpAddr Destination, ushort SourcePort, ushort DestinationPort)
{
    /// <summary>For example <c>udp 10.0.0.1:1234 > 10.96.0.10:53</c>.</summary>
    public override string ToString() =>
        $"{Protocol.ToLowerName()} {new IpEndpoint(Source, SourcePort)} > {new IpEndpoint(Destination, DestinationPort)}";
}
