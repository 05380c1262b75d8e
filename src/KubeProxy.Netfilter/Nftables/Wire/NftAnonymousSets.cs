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

    private static IEnumerable<(NftSet, NftElements)> Of(NftTableKey table, NftStatement statement)
    {
        foreach (var map in NftParts.All(statement).OfType<NftAnonymousMapLookup>()) yield return Make(table, map.Key, NftSetKind.Map, map.Elements, map.DataType);
        switch (statement)
        {
            case NftAnonymousSetMatch match: yield return Make(table, match.Key, NftSetKind.Set, match.Elements); break;
            case NftAnonymousVerdictMap map: yield return Make(table, map.Key, NftSetKind.VerdictMap, map.Elements); break;
            case NftObjectMapStatement { Elements: { } elements } map: yield return Make(table, map.Key, NftSetKind.ObjectMap, elements, objects: map.Kind); break;
            case NftDynset { Meter: { } meter }: yield return (meter with { Key = new NftSetKey(table, meter.Key.Name) }, new NftElements()); break;
            case NftOpaque { Set: { } own }: yield return (own.Set with { Key = new NftSetKey(table, Name(own.Set.Kind)) }, own.Elements); break;
        }
    }

    private static (NftSet, NftElements) Make(
        NftTableKey table, NftExpression key, NftSetKind kind, NftElements elements, NftTypes? data = null, NftObjectKind objects = NftObjectKind.None)
    {
        var parts = key is NftConcat concat ? concat.Parts : [key];
        var formats = key.FormatsOf();
        var bits = NftPartialLoads.Of(key);
        if (bits is { } of) elements = elements.WithKeys(value => NftBits.ShiftLeft(value, of.Below, of.Bytes));
        ImmutableArray<int> lengths = bits is { } part ? [part.Bytes] : [.. formats.Select(format => format.Bytes)];
        var isUsual = formats.Select((format, index) => NftDataTypes.TryByteLength(format.Type) == lengths[index]).All(isSame => isSame);
        var set = new NftSet(new NftSetKey(table, Name(kind)))
        {
            Kind = kind,
            KeyType = [.. formats.Select(format => format.Type)],
            KeyLengths = isUsual ? [] : lengths,
            DataType = data?.Parts ?? [],
            DataLengths = data?.Lengths ?? [],
            HasDataIntervals = data?.IsInterval ?? false,
            ObjectKind = objects,
            KeyOrder = formats is [var single] ? single.Order : null,
            // nft prints the keys of a concatenation by their typeof; it needs it for parts such as numgen.
            KeyTypeof = parts.Length > 1 && parts.All(NftTypeofKinds.Has) ? parts : [],
            Flags = NftSetFlags.Constant | (elements.IsInterval ? NftSetFlags.Interval : NftSetFlags.None),
            Size = elements.IsInterval ? null : (uint)elements.Items.Length,
        };
        return (set, elements);
    }

    private static string Name(NftSetKind kind) => kind switch
    {
        NftSetKind.Set => NftProtocol.AnonymousSet,
        NftSetKind.ObjectMap => NftProtocol.AnonymousObjectMap,
        _ => NftProtocol.AnonymousMap,
    };
}
