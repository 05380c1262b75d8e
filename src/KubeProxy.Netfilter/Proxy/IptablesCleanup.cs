using System.Collections.Frozen;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy.Iptables;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>
/// Removes the chains and rules of an iptables mode from the standard tables, ours or upstream's: both have the same names.
/// KUBE-FIREWALL stays, because kubelet has it too; the tables and standard chains stay as well.
/// </summary>
public static class IptablesCleanup
{
    private const int Attempts = 10;

    // What upstream has in mode ipvs beside chains that it also has in mode iptables.
    private static readonly FrozenSet<string> OnlyInIpvsMode = FrozenSet.Create(
        "KUBE-NODE-PORT", "KUBE-LOAD-BALANCER", "KUBE-SOURCE-RANGES-FIREWALL", "KUBE-IPVS-FILTER", "KUBE-IPVS-OUT-FILTER");

    /// <summary>Whether the chain is of upstream's ipvs mode, and of no other.</summary>
    public static bool IsOfIpvsMode(IptablesChain chain) => !chain.IsStandard() && OnlyInIpvsMode.Contains(chain.Name);

    /// <summary>Whether the chain is of an iptables mode, or of upstream's ipvs mode.</summary>
    public static bool IsOfAnyMode(IptablesChain chain) =>
        IsOfIpvsMode(chain) || (!chain.IsStandard() && chain.Name != ChainNames.Firewall && OwnedChains.KindOf(chain) != ChainKind.NotOurs);

    /// <inheritdoc cref="RunAsync(INftables, IpFamily, Func{IptablesChain, bool}, CancellationToken)"/>
    public static Task<IReadOnlyList<IptablesChain>> RunAsync(INftables nftables, IpFamily family, CancellationToken cancellationToken = default) =>
        RunAsync(nftables, family, IsOfAnyMode, cancellationToken);

    /// <summary>Removes what there is of one family, in one transaction.</summary>
    /// <param name="nftables">The kernel.</param>
    /// <param name="family">The family.</param>
    /// <param name="isRemovable">Which chains, for example <see cref="IsOfAnyMode"/>; rules that lead to them go too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The chains removed, each with its table.</returns>
    /// <exception cref="NftTransactionException">The kernel refused it, for example because a rule of somebody else leads to one of the chains.</exception>
    /// <exception cref="NftReadException">The kernel refused to tell what there is.</exception>
    public static async Task<IReadOnlyList<IptablesChain>> RunAsync(
        INftables nftables, IpFamily family, Func<IptablesChain, bool> isRemovable, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(nftables);
        ArgumentNullException.ThrowIfNull(isRemovable);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var transaction = new NftTransaction { ExpectedGeneration = await nftables.GetGenerationAsync(cancellationToken) };
                var chains = await PlanAsync(nftables, family, isRemovable, transaction, cancellationToken);
                if (!transaction.IsEmpty) await nftables.CommitAsync(transaction, cancellationToken);
                return chains;
            }
            catch (NftTransactionException e) when (e.IsStale && attempt < Attempts)
            {
                // Somebody else was faster: look again.
            }
        }
    }

    private static async Task<List<IptablesChain>> PlanAsync(
        INftables nftables, IpFamily family, Func<IptablesChain, bool> isRemovable, NftTransaction transaction, CancellationToken cancellationToken)
    {
        var tables = (await nftables.ListTablesAsync(family == IpFamily.IPv4 ? NftFamily.Ip : NftFamily.Ip6, cancellationToken)).Select(table => table.Key).ToHashSet();
        var removed = new List<IptablesChain>();
        foreach (var table in IptablesTables.All.Where(table => tables.Contains(table.Key(family))))
        {
            var chains = (await nftables.ListChainsAsync(table.Key(family), cancellationToken))
                .Select(chain => new IptablesChain(table, chain.Key.Name)).Where(isRemovable).ToHashSet();
            var decoder = new IptablesRuleDecoder(family);
            var jumps = new List<(string Chain, ulong Handle)>();
            await nftables.VisitRulesAsync(table.Key(family), null, (chain, rule) =>
            {
                var from = new IptablesChain(table, chain);
                if (!chains.Contains(from) && decoder.Decode(rule.Rule).JumpChain is { } to && chains.Contains(new IptablesChain(table, to))) jumps.Add((chain, rule.Handle));
            }, jumps.Clear, cancellationToken);
            foreach (var (chain, handle) in jumps) transaction.Delete(new NftChainKey(table.Key(family), chain), handle);
            foreach (var chain in chains) transaction.Flush(chain.Key(family));
            foreach (var chain in chains) transaction.Delete(chain.Key(family));
            removed.AddRange(chains);
        }

        return removed;
    }
}
