using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Legacy;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>
/// Finds what a kube-proxy with iptables-legacy left or writes. Packets pass its rules as well as ours, and which of them translate a
/// connection depends on which tables were registered first; what ours do not translate, because the Service is gone, theirs do.
/// </summary>
/// <param name="family">The family.</param>
/// <param name="read">Reads the user chains of iptables-legacy; see <see cref="LegacyTables.ReadChains"/>.</param>
public sealed class LegacyRivals(IpFamily family, Func<IReadOnlyList<LegacyChain>> read) : IRivalSearch
{
    private const int Shown = 5;

    /// <inheritdoc/>
    public Task<IReadOnlyList<Rival>> SearchAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Rival>>(Find(family, read()) is { } found ? [found] : []);

    /// <summary>What these chains are; null when none of them is a kube-proxy's.</summary>
    public static Rival? Find(IpFamily family, IEnumerable<LegacyChain> chains)
    {
        LegacyChain[] found = [.. chains.Where(IsOfProxy)];
        if (found.Length == 0) return null;
        var tool = family == IpFamily.IPv4 ? "iptables-legacy" : "ip6tables-legacy";
        var names = string.Join(", ", found.Take(Shown).Select(chain => $"{chain.Table} {chain.Name}"));
        var more = found.Length > Shown ? $" and {found.Length - Shown} more" : "";
        return new Rival(
            $"rules of a kube-proxy in the tables of {tool}", names + more, CanWin: true,
            "This proxy writes nf_tables (as iptables-nft does) and does not touch them. Stop that kube-proxy and remove its rules with its own --cleanup or "
            + $"with '{tool}-save | grep -v KUBE- | {tool}-restore' (that takes kubelet's chains too, which kubelet makes again), or restart the node.");
    }

    /// <summary>Chains of kubelet may stay, of which old ones made the two that only masquerade what is marked.</summary>
    private static bool IsOfProxy(LegacyChain chain) => chain.Name is not (ChainNames.MarkMasquerade or ChainNames.Postrouting)
        && IptablesLayout.Tables.Any(table => table.NftName() == chain.Table && IptablesCleanup.IsOfAnyMode(new IptablesChain(table, chain.Name)));
}
