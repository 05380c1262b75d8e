using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m nfacct</c>: counts in an accounting object, which must exist; true.</summary>
/// <param name="Name">1 to 31 bytes.</param>
public sealed record AccountingMatch(string Name) : IptablesMatch
{
    private const int NameSize = 32; // NFACCT_NAME_MAX

    // struct xt_nfacct_match_info_v1 (xt_nfacct.h): | name char[32] | pointer |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, AccountingMatch>(
        "nfacct", 1, 40,
        static (info, in _) => XtText.Read(info[..NameSize]) is { } name ? new AccountingMatch(name) : null,
        static (match, info, in _) => info.Put(0, NameSize, match.Name),
        static (match, text) => text.Add($"--nfacct-name  {match.Name}")) { IsExact = true };
}
