using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m helper</c>: the connection tracking helper of the connection.</summary>
/// <param name="Name">Its name, at most 29 bytes; empty for any.</param>
/// <param name="Negated">Not this one.</param>
public sealed record HelperMatch(string Name, bool Negated = false) : IptablesMatch
{
    private const int NameSize = 30;

    // struct xt_helper_info (xt_helper.h): | invert int | name char[30] |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, HelperMatch>(
        "helper", 0, 40,
        static (info, in _) => info.Text(4, NameSize) is { } name ? new HelperMatch(name, info.U32(0) != 0) : null,
        static (match, info, in _) =>
        {
            info.Put(0, match.Negated ? 1u : 0);
            info.Put(4, NameSize, match.Name);
        },
        static (match, text) => text.Not(match.Negated).AddQuoted("--helper", match.Name));
}
