using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m connlabel</c>: a label of the connection.</summary>
/// <param name="Bit">The number of the label, 0 to 127.</param>
/// <param name="Set">Set it, if it is not there.</param>
/// <param name="Negated">It is not there.</param>
public sealed record ConnlabelMatch(ushort Bit, bool Set = false, bool Negated = false) : IptablesMatch
{
    private const ushort Inverted = 1; // XT_CONNLABEL_OP_INVERT
    private const ushort Sets = 2; // XT_CONNLABEL_OP_SET

    // struct xt_connlabel_mtinfo (xt_connlabel.h): | bit u16 | options u16 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, ConnlabelMatch>(
        "connlabel", 0, 8,
        static (info, in _) => new ConnlabelMatch(info.U16(0), (info.U16(2) & Sets) != 0, (info.U16(2) & Inverted) != 0),
        static (match, info, in _) =>
        {
            info.Put(0, match.Bit);
            info.Put(2, (ushort)((match.Set ? Sets : 0) | (match.Negated ? Inverted : 0)));
        },
        static (match, text) => text.Not(match.Negated).Add($"--label \"{match.Bit}\"").If(match.Set, "--set"));
}
