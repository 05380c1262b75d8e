using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>The types of expressions.</summary>
public static class NftExpressionTypes
{
    /// <summary>
    /// The type of the value, the parts of a concatenation one by one; empty where only the map that is looked up knows it.
    /// </summary>
    public static ImmutableArray<NftDataType> TypesOf(this NftExpression expression) => expression switch
    {
        NftConcat concat => [.. concat.Parts.SelectMany(part => part.TypesOf())],
        NftMapLookup => [],
        NftAnonymousMapLookup map => map.DataType.Parts,
        _ => [TypeOf(expression)],
    };

    /// <summary>The family that a packet must have for the expression to have a value; null for any.</summary>
    internal static IEnumerable<NftFamily> FamiliesOf(NftExpression expression) => expression switch
    {
        NftPayload payload => NftFields.Layout(payload.Field).Family is { } family ? [family] : [],
        NftConcat concat => concat.Parts.SelectMany(FamiliesOf).Distinct(),
        NftMapLookup lookup => FamiliesOf(lookup.Key),
        NftAnonymousMapLookup lookup => FamiliesOf(lookup.Key),
        NftBitwise bitwise => FamiliesOf(bitwise.Value),
        NftJhash hash => FamiliesOf(hash.Value),
        _ => [],
    };

    private static NftDataType TypeOf(NftExpression expression) => expression switch
    {
        NftPayload payload => NftFields.Layout(payload.Field).Type,
        NftMeta meta => TypeOf(meta.Key),
        NftCt ct => ct.Key switch
        {
            NftCtKey.State => NftDataType.CtState,
            NftCtKey.Direction => NftDataType.CtDir,
            NftCtKey.Status => NftDataType.CtStatus,
            NftCtKey.Mark => NftDataType.Mark,
            _ => throw new ArgumentOutOfRangeException(nameof(expression), ct.Key, "Not a ct key that this library knows."),
        },
        NftCtOriginal original => NftFields.Layout(original.Field).Type,
        NftFibAddrType => NftDataType.FibAddrType,
        NftJhash => NftDataType.Integer,
        NftNumgen => NftDataType.Integer,
        NftConstant constant => constant.Type,
        NftBitwise bitwise => TypeOf(bitwise.Value),
        _ => throw new ArgumentException($"{expression} has no type of its own.", nameof(expression)),
    };

    private static NftDataType TypeOf(NftMetaKey key) => key switch
    {
        NftMetaKey.Mark => NftDataType.Mark,
        NftMetaKey.Iifname or NftMetaKey.Oifname or NftMetaKey.Iifkind => NftDataType.Ifname,
        NftMetaKey.Nfproto => NftDataType.NfProto,
        NftMetaKey.L4proto => NftDataType.InetProto,
        _ => throw new ArgumentOutOfRangeException(nameof(key), key, "Not a meta key that this library knows."),
    };
}
