using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Protocols that are tracked and that Services do not have (IANA protocol numbers).</summary>
public static class FlowProtocols
{
    /// <summary>ICMP.</summary>
    public const Protocol Icmp = (Protocol)1;

    /// <summary>DCCP; Linux tracks it as any other protocol since 6.17.</summary>
    public const Protocol Dccp = (Protocol)33;

    /// <summary>GRE, whose keys stand in place of ports.</summary>
    public const Protocol Gre = (Protocol)47;

    /// <summary>ICMPv6.</summary>
    public const Protocol Icmpv6 = (Protocol)58;

    /// <summary>UDP-Lite.</summary>
    public const Protocol UdpLite = (Protocol)136;

    /// <summary>The lower-case name; the number for protocols without one here.</summary>
    internal static string Name(Protocol protocol) => protocol switch
    {
        Icmp => "icmp",
        Dccp => "dccp",
        Gre => "gre",
        Icmpv6 => "icmpv6",
        UdpLite => "udplite",
        _ => protocol.ToLowerName(),
    };
}
