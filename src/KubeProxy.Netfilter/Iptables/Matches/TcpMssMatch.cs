using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m tcpmss</c>: the maximum segment size that the TCP header tells.</summary>
/// <param name="First">The least.</param>
/// <param name="Last">The most.</param>
/// <param name="Negated">Outside of that.</param>
public sealed record TcpMssMatch(ushort First, ushort Last, bool Negated = false) : IptablesMatch
{
    // struct xt_tcpmss_match_info (xt_tcpmss.h): | mss_min u16 | mss_max u16 | invert u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, TcpMssMatch>(
        "tcpmss", 0, 8,
        static (info, in _) => new TcpMssMatch(info.U16(0), info.U16(2), info[4] != 0),
        static (match, info, in _) =>
        {
            info.Put(0, match.First);
            info.Put(2, match.Last);
            info.Put(4, match.Negated);
        },
        static (match, text) => text.AddRange("--mss", match.Negated, match.First, match.Last));
}
