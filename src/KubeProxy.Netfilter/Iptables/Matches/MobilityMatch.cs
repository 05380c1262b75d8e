using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m mh</c>: the mobility header of IPv6 (RFC 6275).</summary>
/// <param name="First">The lowest type.</param>
/// <param name="Last">The highest type.</param>
/// <param name="Negated">Not these.</param>
public sealed record MobilityMatch(byte First = 0, byte Last = byte.MaxValue, bool Negated = false) : IptablesMatch
{
    // struct ip6t_mh (ip6t_mh.h): | types u8[2] | invflags u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, MobilityMatch>(
        "mh", 0, 8,
        static (info, in _) => new MobilityMatch(info[0], info[1], info[2] != 0),
        static (match, info, in _) =>
        {
            (info[0], info[1]) = (match.First, match.Last);
            info.Put(2, match.Negated);
        },
        static (match, text) =>
        {
            if (match is not { First: 0, Last: byte.MaxValue }) text.AddRange("--mh-type", match.Negated, match.First, match.Last);
        }) { Family = IpFamily.IPv6 };
}
