using System.Runtime.InteropServices;
using KubeProxy.Core.Diff;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>Everything in the table: what it should be, and what the kernel is known to have.</summary>
internal abstract class TableState
{
    private readonly List<KeyValuePair<string, ChainDefinition>> _stagedChains = [];
    private readonly List<KeyValuePair<string, NftSet>> _stagedSets = [];
    private readonly Dictionary<RuleOwner, ElementCollection[]> _elementsOf = [];
    private ElementCollection[] _lastStaged = [];

    /// <summary>All collections of elements, in the order in which a cold start fills them.</summary>
    public required IReadOnlyList<ElementCollection> Elements { get; set; }

    /// <summary>The chains with their rules, by name.</summary>
    public OwnedCollection<string, ChainDefinition, RuleOwner> Chains { get; } = new();

    /// <summary>The sets and maps, by name.</summary>
    public OwnedCollection<string, NftSet, RuleOwner> Sets { get; } = new();

    /// <summary>Whether the kernel differs from what is desired, as far as known.</summary>
    public bool HasChanges => Chains.HasChanges || Sets.HasChanges || Elements.Any(e => e.HasChanges);

    /// <summary>The number of objects in which the kernel differs.</summary>
    public int ChangeCount => Chains.ChangeCount + Sets.ChangeCount + Elements.Sum(e => e.ChangeCount);

    /// <summary>With the rules as they are read back: they are compared with those.</summary>
    public void Stage(ChainDefinition chain) => _stagedChains.Add(KeyValuePair.Create(
        chain.Chain.Key.Name, new ChainDefinition(chain.Chain, [.. chain.Rules.Select(rule => rule.Canonical())])));

    public void Stage(NftSet set) => _stagedSets.Add(KeyValuePair.Create(set.Key.Name, set));

    /// <summary>Replaces all that the owner wants by what was staged since the last call.</summary>
    public void Commit(RuleOwner owner)
    {
        Chains.Set(owner, CollectionsMarshal.AsSpan(_stagedChains));
        Sets.Set(owner, CollectionsMarshal.AsSpan(_stagedSets));
        _stagedChains.Clear();
        _stagedSets.Clear();
        CommitElements(owner);
    }

    /// <summary>Sees which sets there are in the kernel, before their elements are taken over: there are collections only for those that are known.</summary>
    public virtual void Discover(IEnumerable<string> sets)
    {
    }

    /// <summary>
    /// The lists that a collection has in the kernel, as far as something there is known to lead to them, with how many slots each may have; null for a
    /// collection without lists.
    /// </summary>
    public virtual IEnumerable<(FrontendKey Frontend, int Slots)>? ListsInKernel(ElementCollection collection) => null;

    /// <summary>Drops all that the owner wants.</summary>
    public void Remove(RuleOwner owner)
    {
        Chains.Remove(owner);
        Sets.Remove(owner);
        if (!_elementsOf.Remove(owner, out var collections)) return;
        foreach (var collection in collections) collection.Remove(owner);
    }

    /// <summary>Notes that there is no table.</summary>
    public void AdoptNothing()
    {
        Chains.AdoptNothing();
        Sets.AdoptNothing();
        foreach (var collection in Elements) collection.BeginAdoption().Complete();
    }

    /// <summary>The collections of elements in which something was staged since the last call of <see cref="Commit"/>.</summary>
    protected List<ElementCollection> Staged { get; } = [];

    // An owner has elements in a handful of many collections.
    private void CommitElements(RuleOwner owner)
    {
        var before = _elementsOf.GetValueOrDefault(owner, []);
        foreach (var collection in before)
            if (!Staged.Contains(collection)) collection.Remove(owner);
        foreach (var collection in Staged) collection.Commit(owner);
        if (Staged.Count == 0) _elementsOf.Remove(owner);
        else if (!IsStaged(before)) _elementsOf[owner] = _lastStaged = IsStaged(_lastStaged) ? _lastStaged : [.. Staged];
        Staged.Clear();
    }

    // Most owners have the same as the one before: they share the array.
    private bool IsStaged(ElementCollection[] collections) => CollectionsMarshal.AsSpan(Staged).SequenceEqual(collections);
}
