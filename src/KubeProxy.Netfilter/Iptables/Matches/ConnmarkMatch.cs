using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m connmark</c>: the mark of the connection under a mask.</summary>
/// <param name="Value">The mark.</param>
/// <param name="Mask">The mask.</param>
/// <param name="Negated">Not so.</param>
public sealed record ConnmarkMatch(uint Value, uint Mask = uint.MaxValue, bool Negated = false) : IptablesMatch
{
    // struct xt_connmark_mtinfo1 (xt_connmark.h): | mark u32 | mask u32 | invert u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, ConnmarkMatch>(
        "connmark", 1, 16,
        static (info, in _) => new ConnmarkMatch(info.U32(0), info.U32(4), info[8] != 0),
        static (match, info, in _) =>
        {
            info.Put(0, match.Value);
            info.Put(4, match.Mask);
            info.Put(8, match.Negated);
        },
        static (match, text) => text.Not(match.Negated).Add($"--mark {IptablesArguments.Mark(match.Value, match.Mask)}"));
}
