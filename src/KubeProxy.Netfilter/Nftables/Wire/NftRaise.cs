using System.Runtime.InteropServices;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Makes conditions of what was compared with what.</summary>
internal static class NftRaise
{
    public static uint Number(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<uint>(bytes);

    /// <summary>A comparison as a statement; null when it is none that this library knows.</summary>
    public static NftStatement? Compare(NftLoaded? left, NftOperator @operator, in NftData value) => left switch
    {
        NftLoaded.Field field => CompareField(field, @operator, value),
        NftLoaded.Masked { Inner: NftLoaded.Field field } masked => CompareMaskedField(field, masked, @operator, value),
        NftLoaded.Masked masked => CompareMasked(masked, @operator, value),
        NftLoaded.TransparentSocket when @operator == NftOperator.Equal && value.Span is [1] => new NftTransparentSocket(),
        NftLoaded.Value loaded => CompareValue(loaded.Whole, @operator, value),
        _ => null,
    };

    private static NftStatement? CompareField(NftLoaded.Field field, NftOperator @operator, in NftData value)
    {
        if (value.Length != field.Length) return null;
        var left = new NftPayload(field.Layout.Field);
        if (field.Length == field.Layout.Length) return new NftMatch(left, @operator, new NftConstant(field.Layout.Type, value));
        if (!HasPrefixes(field.Layout.Type)) return null;
        return new NftPrefixMatch(left, @operator, Padded(field.Layout.Type, value), value.Length * 8);
    }

    private static NftPrefixMatch? CompareMaskedField(NftLoaded.Field field, NftLoaded.Masked masked, NftOperator @operator, in NftData value)
    {
        var length = field.Layout.Length;
        if (!HasPrefixes(field.Layout.Type) || field.Length != length || value.Length != length || masked.Mask.Length != length) return null;
        if (masked.Xor.AsSpan().ContainsAnyExcept((byte)0) || PrefixBits(masked.Mask.AsSpan()) is not { } bits) return null;
        for (var i = 0; i < length; i++)
            if ((value.Span[i] & ~masked.Mask[i]) != 0)
                return null;
        return new NftPrefixMatch(new NftPayload(field.Layout.Field), @operator, new NftConstant(field.Layout.Type, value), bits);
    }

    private static NftStatement? CompareMasked(NftLoaded.Masked masked, NftOperator @operator, in NftData value)
    {
        if (masked.Expression is not NftBitwise bitwise || value.Length != 4) return null;
        if (bitwise.Xor == 0 && Number(value.Span) == 0) return new NftBitsMatch(bitwise.Value, bitwise.Mask, @operator == NftOperator.Equal);
        return new NftMatch(bitwise, @operator, new NftConstant(bitwise.TypesOf()[0], value));
    }

    private static NftStatement? CompareValue(NftExpression left, NftOperator @operator, in NftData value)
    {
        if (left.TypesOf() is not [var type]) return null;
        if (value.Length == type.ByteLength()) return new NftMatch(left, @operator, new NftConstant(type, value));
        if (type != NftDataType.Ifname || value.Length > NftValue.MaxIfnameLength || value.IsEmpty) return null;
        // With its end it is the whole name: iptables compares no more than that.
        var end = value.Span.IndexOf((byte)0);
        if (end >= 0) return end > 0 && end == value.Length - 1 ? new NftMatch(left, @operator, Padded(type, value)) : null;
        return new NftPrefixMatch(left, @operator, Padded(type, value), value.Length * 8);
    }

    private static bool HasPrefixes(NftDataType type) => type is NftDataType.Ipv4Addr or NftDataType.Ipv6Addr;

    private static NftConstant Padded(NftDataType type, in NftData value)
    {
        Span<byte> bytes = stackalloc byte[type.ByteLength()];
        bytes.Clear();
        value.Span.CopyTo(bytes);
        return new NftConstant(type, new NftData(bytes));
    }

    /// <summary>How many ones the mask begins with, when only zeros follow.</summary>
    private static int? PrefixBits(ReadOnlySpan<byte> mask)
    {
        var bits = 0;
        foreach (var part in mask) bits += System.Numerics.BitOperations.PopCount(part);
        for (var i = 0; i < mask.Length; i++)
            if (mask[i] != NftCanonical.Mask(bits - (i * 8)))
                return null;
        return bits;
    }
}
