using System.Collections.Immutable;
using KubeProxy.Core.Diff;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>Takes over what the kernel has of ours in the standard tables.</summary>
internal sealed class IptablesReader(INftables nftables, IptablesState state, OwnedChains owned, IpFamily family)
{
    private const int Attempts = 10;

    // A dump of a whole table goes through everything before again for each 32 KiB of it, so its cost grows with the square.
    private const int MostChainsInOneDump = 4096;

    private readonly IptablesRuleDecoder _decoder = new(family);

    /// <summary>Dumps the tables; when someone changes the ruleset meanwhile, again.</summary>
    /// <returns>The generation of the ruleset that was read.</returns>
    /// <exception cref="NftUnknownOutcomeException">The ruleset does not stand still.</exception>
    public async Task<uint> ReadAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (await TryReadAsync(cancellationToken) is { } generation) return generation;
        }

        throw new NftUnknownOutcomeException($"The ruleset changed {Attempts} times while the iptables tables were read.");
    }

    /// <summary>The rules of one chain with their handles; null when there is no such chain.</summary>
    public async Task<List<(IptablesRule Rule, ulong Handle)>?> ReadChainAsync(IptablesChain chain, CancellationToken cancellationToken)
    {
        var rules = new List<(IptablesRule, ulong)>();
        try
        {
            await nftables.VisitRulesAsync(
                chain.Table.Key(family), chain.Name, (_, rule) => rules.Add((_decoder.Decode(rule.Rule), rule.Handle)), rules.Clear, cancellationToken);
            return rules;
        }
        catch (NftReadException e) when (e.Errno == Errno.NoSuchEntry)
        {
            return null;
        }
    }

    private async Task<uint?> TryReadAsync(CancellationToken cancellationToken)
    {
        var generation = await nftables.GetGenerationAsync(cancellationToken);
        var tables = (await nftables.ListTablesAsync(family == IpFamily.IPv4 ? NftFamily.Ip : NftFamily.Ip6, cancellationToken)).ToDictionary(table => table.Key);
        state.Handles.Clear();
        state.Surplus.Clear();
        state.MissingTables.Clear();
        state.DormantTables.Clear();
        var adoption = new Adoption(state.Chains.BeginAdoption(), state.Rules.BeginAdoption());
        foreach (var table in IptablesLayout.Tables)
        {
            if (!tables.TryGetValue(table.Key(family), out var found))
            {
                state.MissingTables.Add(table);
                continue;
            }

            if (found.Flags.HasFlag(NftTableFlags.Dormant)) state.DormantTables.Add(table);
            if (!await ReadTableAsync(table, adoption, cancellationToken)) return null;
        }

        adoption.Chains.Complete();
        adoption.Rules.Complete();
        return generation == await nftables.GetGenerationAsync(cancellationToken) ? generation : null;
    }

    // Returns false when the table changed meanwhile.
    private async Task<bool> ReadTableAsync(IptablesTable table, Adoption adoption, CancellationToken cancellationToken)
    {
        var chains = (await nftables.ListChainsAsync(table.Key(family), cancellationToken))
            .Select(chain => new IptablesChain(table, chain.Key.Name)).Where(chain => OwnedChains.KindOf(chain) != ChainKind.NotOurs).ToHashSet();
        return chains.Count > MostChainsInOneDump
            ? await ReadEachAsync(chains, adoption, cancellationToken)
            : await ReadAllAsync(table, chains, adoption, cancellationToken);
    }

    private async Task<bool> ReadEachAsync(HashSet<IptablesChain> chains, Adoption adoption, CancellationToken cancellationToken)
    {
        foreach (var chain in chains)
        {
            if (await ReadChainAsync(chain, cancellationToken) is not { } rules) return false;
            Take(chain, rules, adoption);
        }

        return true;
    }

    private async Task<bool> ReadAllAsync(IptablesTable table, HashSet<IptablesChain> chains, Adoption adoption, CancellationToken cancellationToken)
    {
        var undisturbed = true;
        IptablesChain current = default;
        var rules = new List<(IptablesRule Rule, ulong Handle)>();
        try
        {
            // The dump goes chain by chain.
            await nftables.VisitRulesAsync(table.Key(family), null, Visit, () => undisturbed = false, cancellationToken);
        }
        catch (NftReadException e) when (e.Errno == Errno.NoSuchEntry)
        {
            return false;
        }

        Finish();
        foreach (var empty in chains) Take(empty, [], adoption);
        return undisturbed;

        void Visit(string name, NftRuleInKernel rule)
        {
            if (name != current.Name)
            {
                Finish();
                current = new IptablesChain(table, name);
            }

            if (chains.Contains(current)) rules.Add((_decoder.Decode(rule.Rule), rule.Handle));
        }

        void Finish()
        {
            if (chains.Remove(current)) Take(current, rules, adoption);
            rules.Clear();
        }
    }

    private void Take(IptablesChain chain, List<(IptablesRule Rule, ulong Handle)> rules, Adoption adoption)
    {
        switch (OwnedChains.KindOf(chain))
        {
            case ChainKind.Own:
                adoption.Chains.Observe(chain, AsDesired(chain, ChainContent.Of([.. rules.Select(rule => rule.Rule)])));
                break;
            case ChainKind.Shared:
                adoption.Chains.Observe(chain, ChainContent.Shared);
                TakeShared(chain, rules, adoption);
                break;
            case ChainKind.Foreign:
                adoption.Chains.Observe(chain, ChainContent.Shared);
                foreach (var (rule, handle) in rules)
                    if (owned.IsOurs(new SharedRule(chain, rule))) Observe(new SharedRule(chain, rule), handle, Placement.Anywhere, adoption);
                break;
        }
    }

    private void TakeShared(IptablesChain chain, List<(IptablesRule Rule, ulong Handle)> rules, Adoption adoption)
    {
        var seen = new HashSet<IptablesRule>();
        var lastOther = rules.FindLastIndex(rule => !OwnedChains.IsLast(chain, rule.Rule));
        for (var i = 0; i < rules.Count; i++)
        {
            var (rule, handle) = rules[i];
            var placement = !OwnedChains.IsLast(chain, rule) ? Placement.Anywhere : i > lastOther ? Placement.Last : Placement.NotLast;
            if (seen.Add(rule)) Observe(new SharedRule(chain, rule), handle, placement, adoption);
            else state.Surplus.Add((chain, handle));
        }
    }

    private void Observe(SharedRule rule, ulong handle, Placement placement, Adoption adoption)
    {
        state.Handles.TryAdd(rule, handle);
        adoption.Rules.Observe(rule, placement);
    }

    /// <summary>Rules for endpoints with or without comments (as in large clusters) are both fine.</summary>
    private ChainContent AsDesired(IptablesChain chain, ChainContent found) =>
        ChainNames.HasOptionalComments(chain) && state.Chains.TryGetDesired(chain, out var desired, out _) && found.EqualsButForComments(desired)
            ? desired : found;

    private sealed record Adoption(
        OwnedCollection<IptablesChain, ChainContent, RuleOwner>.Adoption Chains, OwnedCollection<SharedRule, Placement, RuleOwner>.Adoption Rules);
}
