using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Harness;

/// <summary>The operations that make a table once more under another name.</summary>
internal static class TableCopy
{
    public static IEnumerable<(string Key, Action<NftTransaction> Add)> Objects(
        NftTableContent content, string name, Func<NftSet, IReadOnlyList<NftElement>> elements)
    {
        var table = content.Table.Key with { Name = name };
        yield return ("table", transaction => transaction.Add(content.Table with { Key = table }));
        foreach (var item in content.Objects)
            yield return (item.Key.Name, transaction => transaction.Add(item with { Key = item.Key with { Table = table } }));
        foreach (var flowtable in content.Flowtables)
            yield return (flowtable.Key.Name, transaction => transaction.Add(flowtable with { Key = flowtable.Key with { Table = table } }));
        foreach (var set in content.Sets.Values)
            yield return (set.Key.Name, transaction => transaction.Add(set with { Key = new NftSetKey(table, set.Key.Name) }));
        foreach (var chain in content.Chains.Values)
            yield return (chain.Key.Name, transaction => transaction.Add(chain with { Key = new NftChainKey(table, chain.Key.Name) }));
        foreach (var set in content.Sets.Values)
            yield return (set.Key.Name, transaction => transaction.AddElements(set with { Key = new NftSetKey(table, set.Key.Name) }, elements(set)));
    }

    public static void AddRules(NftTransaction transaction, NftTableContent content, string chain, string name)
    {
        foreach (var rule in content.Rules[chain]) transaction.Add(new NftChainKey(content.Table.Key with { Name = name }, chain), rule.Rule);
    }
}
