using System.Runtime.InteropServices;
using KubeProxy.Core.Diff;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>What should be in the standard tables of ours, and what the kernel is known to have.</summary>
internal sealed class IptablesState
{
    private readonly List<KeyValuePair<IptablesChain, ChainContent>> _stagedChains = [];
    private readonly List<KeyValuePair<SharedRule, Placement>> _stagedRules = [];

    /// <summary>The chains.</summary>
    public OwnedCollection<IptablesChain, ChainContent, RuleOwner> Chains { get; } = new();

    /// <summary>The rules of shared and foreign chains.</summary>
    public OwnedCollection<SharedRule, Placement, RuleOwner> Rules { get; } = new();

    /// <summary>How many rules are wanted and were written.</summary>
    public RuleTally Tally { get; } = new();

    /// <summary>The handles of shared rules, as far as they were read.</summary>
    public Dictionary<SharedRule, ulong> Handles { get; } = [];

    /// <summary>Second copies of shared rules, which have to go.</summary>
    public List<(IptablesChain Chain, ulong Handle)> Surplus { get; } = [];

    /// <summary>Tables that are not there.</summary>
    public HashSet<IptablesTable> MissingTables { get; } = [.. IptablesLayout.Tables];

    /// <summary>Tables that somebody put to sleep: no packet sees their chains.</summary>
    public HashSet<IptablesTable> DormantTables { get; } = [];

    /// <summary>Whether the kernel differs from what is desired, as far as known.</summary>
    public bool HasChanges => ChangeCount > 0;

    /// <summary>The number of chains, rules and sleeping tables in which the kernel differs.</summary>
    public int ChangeCount => Chains.ChangeCount + Rules.ChangeCount + Surplus.Count + DormantTables.Count;

    public void Stage(IptablesChain chain, ChainContent content) => _stagedChains.Add(KeyValuePair.Create(chain, content));

    public void Stage(SharedRule rule, Placement placement = default) => _stagedRules.Add(KeyValuePair.Create(rule, placement));

    /// <summary>Replaces all that the owner wants by what was staged since the last call.</summary>
    public void Commit(RuleOwner owner)
    {
        Tally.Set(owner, _stagedChains, _stagedRules);
        Chains.Set(owner, CollectionsMarshal.AsSpan(_stagedChains));
        Rules.Set(owner, CollectionsMarshal.AsSpan(_stagedRules));
        _stagedChains.Clear();
        _stagedRules.Clear();
    }

    /// <summary>Drops all that the owner wants.</summary>
    public void Remove(RuleOwner owner)
    {
        Tally.Remove(owner);
        Chains.Remove(owner);
        Rules.Remove(owner);
    }
}
