using System.Collections.Immutable;
using T = KubeProxy.Netfilter.Nftables.NftDataType;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>The types of expressions.</summary>
public static class NftExpressionTypes
{
    /// <summary>
    /// The type of the value, the parts of a concatenation one by one; empty where only the map that is looked up knows it.
    /// </summary>
    public static ImmutableArray<NftDataType> TypesOf(this NftExpression expression)
    {
        var formats = FormatsOf(expression);
        return formats is [var single] ? [single.Type] : [.. formats.Select(format => format.Type)];
    }

    /// <summary>What is known of the value, the parts of a concatenation one by one; empty where only the map that is looked up knows it.</summary>
    internal static ImmutableArray<NftFormat> FormatsOf(this NftExpression expression) => expression switch
    {
        NftConcat concat => [.. concat.Parts.SelectMany(part => part.FormatsOf())],
        NftMapLookup => [],
        NftAnonymousMapLookup map => [.. map.DataType.Parts.Select(NftFormat.Of)],
        NftBitwise bitwise => bitwise.Value.FormatsOf(),
        NftShift shift => shift.Value.FormatsOf(),
        NftNetworkOrder order => [.. order.Value.FormatsOf().Select(format => format.InNetworkOrder)],
        _ => [FormatOf(expression)],
    };

    /// <summary>The length of a value that is no concatenation of several.</summary>
    internal static int OneLengthOf(NftExpression expression) => expression switch
    {
        NftConcat or NftMapLookup or NftAnonymousMapLookup or NftBitwise or NftShift or NftNetworkOrder => LengthOf(expression) ?? 0,
        _ => FormatOf(expression).Bytes,
    };

    /// <summary>The length of the value in bytes as it is in registers; null where only the map that is looked up knows it.</summary>
    internal static int? LengthOf(NftExpression expression)
    {
        var formats = FormatsOf(expression);
        return formats.Length switch { 0 => null, 1 => formats[0].Bytes, _ => LengthOf(formats) };
    }

    /// <summary>The length of a value with these parts.</summary>
    internal static int LengthOf(ImmutableArray<NftFormat> formats)
    {
        if (formats.Length == 1) return formats[0].Bytes;
        var length = 0;
        foreach (var format in formats) length += NftDataTypes.Padded(format.Bytes);
        return length;
    }

    /// <summary>The family that a packet must have for the expression to have a value; null for any.</summary>
    internal static NftFamily? FamilyOf(NftExpression expression) => expression switch
    {
        NftPayload payload => payload.Field.Owner.Family,
        NftExtension { Kind: NftExtensionKind.Ipv6Header } => NftFamily.Ip6,
        NftExtension { Kind: NftExtensionKind.IpOption } => NftFamily.Ip,
        _ => null,
    };

    private static NftFormat FormatOf(NftExpression expression) => expression switch
    {
        NftPayload payload => payload.Field.Format,
        NftRawPayload raw => new NftFormat(T.Integer, raw.BitLength, NftByteOrder.Big),
        NftExtension extension => new NftFormat(NftExtensions.TypeOf(extension), extension.BitLength, NftByteOrder.Big),
        NftMeta meta => NftKeyTable.Meta(meta.Key).Format,
        NftCt ct => NftKeyTable.Ct(ct.Key).Format,
        NftRt rt => NftKeyTable.Rt(rt.Key).Format,
        NftSocket socket => NftKeyTable.Socket(socket.Key).Format,
        NftIpsec ipsec => NftKeyTable.Ipsec(ipsec.Key).Format,
        NftFib fib => Fib(fib),
        NftOsf => new NftFormat(T.String, 128, NftByteOrder.Host),
        NftJhash or NftSymhash or NftNumgen => NftFormat.Of(T.Integer),
        NftConstant constant => NftFormat.Of(constant.Type) with { Bits = NftDataTypes.TryBitLength(constant.Type) is { } bits && constant.Type != T.Integer && (bits + 7) / 8 == constant.Value.Length ? bits : constant.Value.Length * 8 },
        _ => throw new ArgumentException($"{expression} has no type of its own.", nameof(expression)),
    };

    private static NftFormat Fib(NftFib fib)
    {
        if (fib.Flags.HasFlag(NftFibFlags.Present)) return new NftFormat(T.Boolean, 32, NftByteOrder.Host);
        return NftFormat.Of(fib.Result switch { NftFibResult.Oif => T.IfIndex, NftFibResult.Oifname => T.Ifname, _ => T.FibAddrType });
    }
}
