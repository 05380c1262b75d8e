using System.Collections.Frozen;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>
/// Removes the chains and rules of an iptables mode from the standard tables, ours or upstream's: both have the same names.
/// KUBE-FIREWALL stays where kubelet has it too; a table goes with its standard chains if there is nothing left in it.
/// </summary>
public static class IptablesCleanup
{
    private const int Attempts = 10;

    private static readonly IptablesChain Firewall = new(IptablesTable.Filter, ChainNames.Firewall);
    private static readonly IptablesChain Services = new(IptablesTable.Nat, ChainNames.Services);

    // What upstream has in mode ipvs beside chains that it also has in mode iptables.
    private static readonly FrozenSet<string> OnlyInIpvsMode = FrozenSet.Create(
        "KUBE-NODE-PORT", "KUBE-LOAD-BALANCER", "KUBE-SOURCE-RANGES-FIREWALL", "KUBE-IPVS-FILTER", "KUBE-IPVS-OUT-FILTER");

    /// <summary>The accounting objects of the iptables mode, ours or upstream's.</summary>
    public static IReadOnlyList<string> Counters { get; } = [IptablesLayout.InvalidDropped, IptablesLayout.LocalhostAccepted];

    /// <summary>Whether the chain is of an iptables mode, and not one that our ipvs mode has as well.</summary>
    public static bool IsNotOfOurIpvsMode(IptablesChain chain) => IsOfAnyMode(chain) && chain != ForwardAccepts.Chain;

    /// <summary>Whether the chain is of upstream's ipvs mode, and of no other.</summary>
    public static bool IsOfIpvsMode(IptablesChain chain) => !chain.IsStandard() && OnlyInIpvsMode.Contains(chain.Name);

    /// <summary>Whether the chain tells that an iptables mode was here: no ipvs mode has it.</summary>
    public static bool IsOfIptablesModeOnly(IptablesChain chain) =>
        !chain.IsStandard() && (chain.Name is ChainNames.NodePorts or ChainNames.ExternalServices or ChainNames.Canary || ChainNames.IsOfServicePort(chain));

    /// <summary>Whether the chain is of an iptables mode, or of upstream's ipvs mode.</summary>
    public static bool IsOfAnyMode(IptablesChain chain) =>
        IsOfIpvsMode(chain) || (!chain.IsStandard() && chain.Name != ChainNames.Firewall && OwnedChains.KindOf(chain) != ChainKind.NotOurs);

    /// <inheritdoc cref="RunAsync(INftables, IpFamily, Func{IptablesChain, bool}, CancellationToken)"/>
    public static Task<IReadOnlyList<IptablesChain>> RunAsync(INftables nftables, IpFamily family, CancellationToken cancellationToken = default) =>
        RunAsync(nftables, family, IsOfAnyMode, cancellationToken);

    /// <summary>Whether there are chains that only an iptables mode has, ours or upstream's.</summary>
    /// <exception cref="NftReadException">The kernel refused to tell what there is.</exception>
    public static async Task<bool> HasIptablesModeAsync(INftables nftables, IpFamily family, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(nftables);
        return (await nftables.ListChainsAsync(IptablesTable.Nat.Key(family), cancellationToken))
            .Any(chain => IsOfIptablesModeOnly(new IptablesChain(IptablesTable.Nat, chain.Key.Name)));
    }

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

    private static bool IsEmptyStandard(IptablesTable table, NftChain chain, IpFamily family) =>
        chain.Base is { DropByDefault: false } && new IptablesChain(table, chain.Key.Name).Definition(family).Base == chain.Base;

    // Kubelet has this one for itself, and the firewall with a rule that both write.
    private static bool IsKubelets(IptablesChain chain) => chain.Name == "KUBE-KUBELET-CANARY";

    private static async Task<List<IptablesChain>> PlanAsync(
        INftables nftables, IpFamily family, Func<IptablesChain, bool> isRemovable, NftTransaction transaction, CancellationToken cancellationToken)
    {
        var tables = (await nftables.ListTablesAsync(family == IpFamily.IPv4 ? NftFamily.Ip : NftFamily.Ip6, cancellationToken)).Select(table => table.Key).ToHashSet();
        var removed = new List<IptablesChain>();
        var all = new Dictionary<IptablesTable, IReadOnlyList<NftChain>>();
        foreach (var table in IptablesLayout.Tables.Where(table => tables.Contains(table.Key(family))))
            all.Add(table, await nftables.ListChainsAsync(table.Key(family), cancellationToken));
        var hasKubelet = all.Any(pair => pair.Value.Any(chain => IsKubelets(new IptablesChain(pair.Key, chain.Key.Name))));
        bool IsEnded(IptablesChain chain) => isRemovable(chain) || (!hasKubelet && chain == Firewall && isRemovable(Services));
        foreach (var (table, found) in all)
        {
            var chains = found.Select(chain => new IptablesChain(table, chain.Key.Name)).Where(IsEnded).ToHashSet();
            if (chains.Count == 0) continue;
            var decoder = new IptablesRuleDecoder(family);
            var jumps = new List<(string Chain, ulong Handle)>();
            var others = 0;
            await nftables.VisitRulesAsync(table.Key(family), null, (chain, rule) =>
            {
                var from = new IptablesChain(table, chain);
                if (chains.Contains(from)) return;
                if (decoder.Decode(rule.Rule).JumpChain is { } to && chains.Contains(new IptablesChain(table, to))) jumps.Add((chain, rule.Handle));
                else others++;
            }, () => (jumps, others) = ([], 0), cancellationToken);
            removed.AddRange(chains);
            if (others == 0 && found.All(chain => chains.Contains(new IptablesChain(table, chain.Key.Name)) || IsEmptyStandard(table, chain, family)))
            {
                transaction.Delete(table.Key(family));
                continue;
            }

            foreach (var (chain, handle) in jumps) transaction.Delete(new NftChainKey(table.Key(family), chain), handle);
            foreach (var chain in chains) transaction.Flush(chain.Key(family));
            foreach (var chain in chains) transaction.Delete(chain.Key(family));
        }

        return removed;
    }
}
