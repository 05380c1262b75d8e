using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m eui64</c>: the IPv6 source address is made of the Ethernet source address (RFC 4291, appendix A).</summary>
public sealed record Eui64Match : IptablesMatch
{
    // No struct: iptables sends 8 bytes.
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, Eui64Match>(
        "eui64", 0, 8, static (_, in _) => new Eui64Match(), static (_, _, in _) => { }, static (_, _) => { }) { Family = IpFamily.IPv6 };
}
