using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>A table that operations make where there was none, such as those of <see cref="DryRunNftables"/>.</summary>
public sealed class NftTableDraft
{
    private readonly NftTable _table;
    private readonly SortedDictionary<string, NftChain> _chains = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, NftSet> _sets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<NftRule>> _rules = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<NftData, NftElement>> _elements = new(StringComparer.Ordinal);

    private NftTableDraft(NftTable table) => _table = table;

    /// <summary>The table; its chains and sets are sorted by name, and its rules have no handles.</summary>
    public NftTableContent Content => new(_table, 0)
    {
        Chains = _chains,
        Sets = _sets,
        Rules = _rules.ToImmutableDictionary(
            entry => entry.Key, IReadOnlyList<NftRuleInKernel> (entry) => [.. entry.Value.Select(rule => new NftRuleInKernel(rule, 0))], StringComparer.Ordinal),
    };

    /// <summary>The tables that the operations make, in their order.</summary>
    /// <exception cref="ArgumentException">An operation is about something that none before it made.</exception>
    public static IReadOnlyList<NftTableDraft> Of(IEnumerable<NftOperation> operations)
    {
        ArgumentNullException.ThrowIfNull(operations);
        var tables = new OrderedDictionary<NftTableKey, NftTableDraft>();
        foreach (var operation in operations)
        {
            if (operation is NftOperation.AddTable add) tables.TryAdd(add.Table.Key, new NftTableDraft(add.Table));
            else if (TableOf(operation) is { } key && tables.TryGetValue(key, out var table)) table.Apply(operation);
            else throw new ArgumentException($"'{operation}' is about a table that was not made.", nameof(operations));
        }

        return [.. tables.Values];
    }

    /// <summary>The elements of a set, sorted by key.</summary>
    public IEnumerable<NftElement> ElementsOf(NftSet set)
    {
        ArgumentNullException.ThrowIfNull(set);
        return _elements.TryGetValue(set.Key.Name, out var elements) ? elements.Values.OrderBy(element => element.Key, NftDataOrder.Instance) : [];
    }

    private static NftTableKey? TableOf(NftOperation operation) => operation switch
    {
        NftOperation.AddChain add => add.Chain.Key.Table,
        NftOperation.FlushChain flush => flush.Chain.Table,
        NftOperation.DeleteChain delete => delete.Chain.Table,
        NftOperation.AddRule add => add.Chain.Table,
        NftOperation.InsertRule insert => insert.Chain.Table,
        NftOperation.AddSet add => add.Set.Key.Table,
        NftOperation.DeleteSet delete => delete.Set.Table,
        NftOperation.AddElements add => add.Set.Key.Table,
        NftOperation.DeleteElements delete => delete.Set.Key.Table,
        _ => null,
    };

    private void Apply(NftOperation operation)
    {
        switch (operation)
        {
            case NftOperation.AddChain add when _chains.TryAdd(add.Chain.Key.Name, add.Chain):
                _rules[add.Chain.Key.Name] = [];
                break;
            case NftOperation.FlushChain flush:
                _rules[flush.Chain.Name].Clear();
                break;
            case NftOperation.DeleteChain delete:
                _chains.Remove(delete.Chain.Name);
                _rules.Remove(delete.Chain.Name);
                break;
            case NftOperation.AddRule add:
                _rules[add.Chain.Name].Add(add.Rule);
                break;
            case NftOperation.InsertRule { Before: null } insert:
                _rules[insert.Chain.Name].Insert(0, insert.Rule);
                break;
            case NftOperation.AddSet add when _sets.TryAdd(add.Set.Key.Name, add.Set):
                _elements[add.Set.Key.Name] = [];
                break;
            case NftOperation.DeleteSet delete:
                _sets.Remove(delete.Set.Name);
                _elements.Remove(delete.Set.Name);
                break;
            case NftOperation.AddElements add:
                foreach (var element in add.Elements) _elements[add.Set.Key.Name][element.Key] = element;
                break;
            case NftOperation.DeleteElements delete:
                foreach (var element in delete.Elements) _elements[delete.Set.Key.Name].Remove(element.Key);
                break;
        }
    }
}
