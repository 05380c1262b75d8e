using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;

namespace KubeProxy.Netfilter.Nftables.Testing;

/// <summary>A table of <see cref="InMemoryNftables"/>.</summary>
internal sealed class MemoryTable(NftTable table)
{
    public NftTable Table { get; set; } = table;

    public Dictionary<string, MemoryChain> Chains { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, MemorySet> Sets { get; } = new(StringComparer.Ordinal);

    public Dictionary<NftObjectKey, MemoryObject> Objects { get; } = [];

    public Dictionary<string, NftFlowtable> Flowtables { get; } = new(StringComparer.Ordinal);

    public NftTableContent Content(uint generation) => new(Table, generation)
    {
        Chains = Chains.ToImmutableDictionary(entry => entry.Key, entry => entry.Value.Chain),
        Sets = Sets.ToImmutableDictionary(entry => entry.Key, entry => entry.Value.Set),
        Rules = Chains.ToImmutableDictionary(
            entry => entry.Key, entry => (IReadOnlyList<NftRuleInKernel>)[.. entry.Value.Rules]),
        Objects = [.. Objects.Values.Select(entry => entry.Object)],
        Flowtables = [.. Flowtables.Values],
    };

    /// <summary>The table as a script. Chains come first by name alone, because elements of maps refer to them.</summary>
    public string Text(uint generation) => NftText.Of(
        new NftTableContent(Table, generation)
        {
            Chains = new SortedDictionary<string, NftChain>(Content(generation).Chains.ToDictionary(), StringComparer.Ordinal),
            Sets = new SortedDictionary<string, NftSet>(Content(generation).Sets.ToDictionary(), StringComparer.Ordinal),
            Rules = Content(generation).Rules,
            Objects = Content(generation).Objects,
            Flowtables = Content(generation).Flowtables,
        },
        set => Sets[set.Key.Name].Elements.Values.OrderBy(element => element.Key, NftDataOrder.Instance));
}

/// <summary>A named object, and how many rules and elements use it.</summary>
internal sealed class MemoryObject(NftObject item)
{
    public NftObject Object { get; } = item;

    public int Uses { get; set; }
}

/// <summary>A chain, its rules, and how many verdicts lead to it.</summary>
internal sealed class MemoryChain(NftChain chain)
{
    public NftChain Chain { get; set; } = chain;

    public List<NftRuleInKernel> Rules { get; } = [];

    public int Uses { get; set; }
}

/// <summary>A set, its elements by identity, and how many rules use it.</summary>
internal sealed class MemorySet(NftSet set)
{
    public NftSet Set { get; set; } = set;

    public Dictionary<(NftData Key, NftData KeyEnd), NftElement> Elements { get; } = [];

    public int Uses { get; set; }

    public bool IsInterval => Set.Flags.HasFlag(NftSetFlags.Interval);

    /// <summary>The element as it is read back: a range of one value has its end, deletion keys have nothing else.</summary>
    public NftElement Canonical(in NftElement element) =>
        (IsInterval && element.KeyEnd.IsEmpty && !element.IsCatchAll ? element with { KeyEnd = element.Key } : element) with { Expires = null };
}
