using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>The anonymous sets of a rule, as sets of their own.</summary>
internal static class NftAnonymousSets
{
    /// <summary>In the order in which the rule's expressions look them up.</summary>
    public static IReadOnlyList<(NftSet Set, NftElements Elements)> Of(NftTableKey table, NftRule rule)
    {
        // Most rules have none.
        List<(NftSet, NftElements)>? found = null;
        foreach (var statement in rule.Statements)
            foreach (var set in Of(table, statement)) (found ??= []).Add(set);
        return found is null ? [] : found;
    }

    private static IEnumerable<(NftSet, NftElements)> Of(NftTableKey table, NftStatement statement) => statement switch
    {
        NftAnonymousSetMatch match => [.. Of(table, match.Key), Make(table, match.Key, NftSetKind.Set, [], match.Elements)],
        NftAnonymousVerdictMap map => [.. Of(table, map.Key), Make(table, map.Key, NftSetKind.VerdictMap, [], map.Elements)],
        NftMatch match => Of(table, match.Left),
        NftPrefixMatch match => Of(table, match.Left),
        NftBitsMatch match => Of(table, match.Left),
        NftSetMatch match => Of(table, match.Key),
        NftVerdictMapStatement map => Of(table, map.Key),
        NftSetMark mark => Of(table, mark.Value),
        NftSetCtMark mark => Of(table, mark.Value),
        NftDnat dnat => Of(table, dnat.Target),
        NftRedirect redirect => Of(table, redirect.Port),
        NftDynset dynset => [.. Of(table, dynset.Key), .. dynset.Data is { } data ? Of(table, data) : []],
        NftSetAddress set => Of(table, set.Value),
        _ => [],
    };

    private static IEnumerable<(NftSet, NftElements)> Of(NftTableKey table, NftExpression expression) => expression switch
    {
        NftAnonymousMapLookup map => [.. Of(table, map.Key), Make(table, map.Key, NftSetKind.Map, map.DataType.Parts, map.Elements)],
        NftMapLookup lookup => Of(table, lookup.Key),
        NftBitwise bitwise => Of(table, bitwise.Value),
        _ => [],
    };

    private static (NftSet, NftElements) Make(
        NftTableKey table, NftExpression key, NftSetKind kind, ImmutableArray<NftDataType> dataType, NftElements elements)
    {
        var parts = key is NftConcat concat ? concat.Parts : [key];
        var set = new NftSet(new NftSetKey(table, kind == NftSetKind.Set ? NftProtocol.AnonymousSet : NftProtocol.AnonymousMap))
        {
            Kind = kind,
            KeyType = key.TypesOf(),
            DataType = dataType,
            // nft prints the keys of a concatenation by their typeof; it needs it for parts such as numgen.
            KeyTypeof = parts.Length > 1 ? parts : [],
            Flags = NftSetFlags.Constant | (elements.IsInterval ? NftSetFlags.Interval : NftSetFlags.None),
            Size = elements.IsInterval ? null : (uint)elements.Items.Length,
        };
        return (set, elements);
    }
}
