using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m dscp</c>: the differentiated services code point (RFC 2474).</summary>
/// <param name="Value">0 to 63.</param>
/// <param name="Negated">Not this one.</param>
public sealed record DscpMatch(byte Value, bool Negated = false) : IptablesMatch
{
    // struct xt_dscp_info (xt_dscp.h): | dscp u8 | invert u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, DscpMatch>(
        "dscp", 0, 8,
        static (info, in _) => new DscpMatch(info[0], info[1] != 0),
        static (match, info, in _) =>
        {
            info[0] = match.Value;
            info.Put(1, match.Negated);
        },
        static (match, text) => text.Not(match.Negated).Add($"--dscp 0x{match.Value:x2}"));
}
