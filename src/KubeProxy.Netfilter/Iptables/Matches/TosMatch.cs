using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m tos</c>: the type of service of IPv4, or traffic class of IPv6, under a mask.</summary>
/// <param name="Value">The value.</param>
/// <param name="Mask">The mask.</param>
/// <param name="Negated">Not so.</param>
public sealed record TosMatch(byte Value, byte Mask = byte.MaxValue, bool Negated = false) : IptablesMatch
{
    // struct xt_tos_match_info (xt_dscp.h): | tos_mask u8 | tos_value u8 | invert u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, TosMatch>(
        "tos", 1, 8,
        static (info, in _) => new TosMatch(info[1], info[0], info[2] != 0),
        static (match, info, in _) =>
        {
            (info[0], info[1]) = (match.Mask, match.Value);
            info.Put(2, match.Negated);
        },
        static (match, text) => text.Not(match.Negated).Add($"--tos 0x{match.Value:x2}/0x{match.Mask:x2}"));
}
