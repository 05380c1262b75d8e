using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>The typeof of a set and its type belong together.</summary>
internal static class NftSetTypeof
{
    /// <summary>Whether there are expressions, and they have these types.</summary>
    public static bool HasType(ImmutableArray<NftExpression> expressions, ImmutableArray<NftDataType> types) =>
        !expressions.IsEmpty && expressions.SelectMany(expression => expression.TypesOf()).SequenceEqual(types);
}

/// <summary>What the keys and data of a set are made of, in bytes and bits.</summary>
internal static class NftSetFormats
{
    /// <summary>The length of a value with these parts in bytes, without an allocation.</summary>
    public static int Length(ImmutableArray<NftExpression> expressions, ImmutableArray<NftDataType> types, ImmutableArray<int> lengths)
    {
        var count = expressions.IsEmpty ? types.Length : expressions.Length;
        var total = 0;
        for (var i = 0; i < count; i++)
        {
            var length = i < lengths.Length ? lengths[i]
                : expressions.IsEmpty ? NftFormat.Of(types[i]).Bytes : NftExpressionTypes.OneLengthOf(expressions[i]);
            if (count == 1) return length;
            total += NftDataTypes.Padded(length);
        }

        return total;
    }

    public static ImmutableArray<NftFormat> OfKey(NftSet set)
    {
        var formats = !set.KeyTypeof.IsEmpty ? OfTypeof(set.KeyTypeof, set.KeyLengths) : Of(set.KeyType, set.KeyLengths);
        if (set.KeyOrder is { } order && formats is [var single]) return [single with { Order = order }];
        return set.Flags.HasFlag(NftSetFlags.Interval) ? [.. formats.Select(format => format.InNetworkOrder)] : formats;
    }

    public static ImmutableArray<NftFormat> OfData(NftSet set)
    {
        var formats = !set.DataTypeof.IsEmpty ? OfTypeof(set.DataTypeof, set.DataLengths) : Of(set.DataType, set.DataLengths);
        return set.HasDataIntervals ? [.. formats.Select(format => format.InNetworkOrder)] : formats;
    }

    public static ImmutableArray<NftFormat> Of(ImmutableArray<NftDataType> types, ImmutableArray<int> lengths)
    {
        if (types is [var single] && lengths.IsEmpty) return [NftFormat.Of(single)];
        var formats = new NftFormat[types.Length];
        for (var i = 0; i < formats.Length; i++) formats[i] = WithLength(NftFormat.Of(types[i]), lengths, i);
        return ImmutableCollectionsMarshal(formats);
    }

    private static ImmutableArray<NftFormat> OfTypeof(ImmutableArray<NftExpression> expressions, ImmutableArray<int> lengths) =>
        [.. expressions.SelectMany(expression => expression.FormatsOf()).Select((format, index) => WithLength(format, lengths, index))];

    private static NftFormat WithLength(NftFormat format, ImmutableArray<int> lengths, int index) =>
        index < lengths.Length && lengths[index] != format.Bytes ? format with { Bits = lengths[index] * 8 } : format;

    private static ImmutableArray<NftFormat> ImmutableCollectionsMarshal(NftFormat[] formats) =>
        System.Runtime.InteropServices.ImmutableCollectionsMarshal.AsImmutableArray(formats);
}
