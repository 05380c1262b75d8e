using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// The typeof of a set's key or data as nft keeps it: the number of an expression's kind (its <c>enum expr_types</c>) and what
/// the kind needs. The numbers are part of nft's file format, as it were: older and newer nft read each other's.
/// </summary>
// | 0: kind u32 | 1: nested, by kind |
// concatenation: each part nested under its index; payload | 0: header | 1: field |; meta | 0: key |; ct | 0: key | 1: direction |
// numgen | 0: type | 1: modulus | 2: offset |; fib | 0: result | 1: flags |
internal static class NftTypeof
{
    private const byte Kind = 0;
    private const byte Content = 1;
    private const uint Verdict = 1; // EXPR_VERDICT
    private const uint Payload = 7; // EXPR_PAYLOAD
    private const uint Meta = 9; // EXPR_META
    private const uint Ct = 12; // EXPR_CT
    private const uint Concat = 13; // EXPR_CONCAT
    private const uint Numgen = 23; // EXPR_NUMGEN
    private const uint Fib = 26; // EXPR_FIB
    private const uint AnyDirection = uint.MaxValue; // no direction given
    private const int MaxParts = 16;

    /// <summary>Writes the typeof of one expression or, for several, of their concatenation.</summary>
    public static void Write(NftUserdataWriter writer, byte type, ImmutableArray<NftExpression> expressions)
    {
        var start = writer.Begin(type);
        if (expressions.Length == 1)
        {
            WriteExpression(writer, expressions[0]);
        }
        else
        {
            writer.Put(Kind, Concat);
            var content = writer.Begin(Content);
            for (var i = 0; i < expressions.Length; i++)
            {
                var part = writer.Begin((byte)i);
                WriteExpression(writer, expressions[i]);
                writer.End(part);
            }

            writer.End(content);
        }

        writer.End(start);
    }

    /// <summary>What nft writes for a concatenation that is declared by type: no parts.</summary>
    public static void WriteConcatOfTypes(NftUserdataWriter writer, byte type) => WriteEmpty(writer, type, Concat);

    /// <summary>The typeof of the data of a verdict map.</summary>
    public static void WriteVerdict(NftUserdataWriter writer, byte type) => WriteEmpty(writer, type, Verdict);

    /// <summary>The expressions; empty when it was declared by type, or holds something that this library does not know.</summary>
    public static ImmutableArray<NftExpression> Read(ReadOnlySpan<byte> bytes)
    {
        if (NftUserdataReader.Number(bytes, Kind) != Concat) return ReadExpression(bytes) is { } single ? [single] : [];
        var parts = ImmutableArray.CreateBuilder<NftExpression>();
        var reader = new NftUserdataReader(NftUserdataReader.Find(bytes, Content));
        while (reader.MoveNext())
        {
            if (parts.Count == MaxParts || ReadExpression(reader.Value) is not { } part) return [];
            parts.Add(part);
        }

        return parts.DrainToImmutable();
    }

    private static void WriteExpression(NftUserdataWriter writer, NftExpression expression)
    {
        writer.Put(Kind, KindOf(expression));
        var start = writer.Begin(Content);
        uint[] numbers = expression switch
        {
            NftPayload payload => [NftFields.Layout(payload.Field).TypeofHeader, NftFields.Layout(payload.Field).TypeofField],
            NftMeta meta => [(uint)meta.Key],
            NftCt ct => [(uint)ct.Key, AnyDirection],
            NftNumgen numgen => [numgen.Incremental ? NftExpressionValues.NumgenIncremental : NftExpressionValues.NumgenRandom, numgen.Modulus, 0],
            NftFibAddrType fib => [NftExpressionValues.FibAddressType, FibFlags(fib.Address)],
            _ => [],
        };
        for (var i = 0; i < numbers.Length; i++) writer.Put((byte)i, numbers[i]);
        writer.End(start);
    }

    private static uint KindOf(NftExpression expression) => expression switch
    {
        NftPayload => Payload,
        NftMeta => Meta,
        NftCt => Ct,
        NftNumgen => Numgen,
        NftFibAddrType => Fib,
        _ => throw new ArgumentException($"{expression} cannot be the typeof of a set.", nameof(expression)),
    };

    private static NftExpression? ReadExpression(ReadOnlySpan<byte> bytes)
    {
        var content = NftUserdataReader.Find(bytes, Content);
        var (first, second) = (NftUserdataReader.Number(content, 0), NftUserdataReader.Number(content, 1));
        switch (NftUserdataReader.Number(bytes, Kind))
        {
            case Payload when first is { } header && second is { } field && NftFields.Find(header, field) is { } layout:
                return new NftPayload(layout.Field);
            case Meta when first is { } key && Enum.IsDefined((NftMetaKey)key):
                return new NftMeta((NftMetaKey)key);
            case Ct when first is { } key && second == AnyDirection && Enum.IsDefined((NftCtKey)key):
                return new NftCt((NftCtKey)key);
            case Numgen when first is { } type && second is { } modulus && NftUserdataReader.Number(content, 2) == 0:
                return new NftNumgen(modulus, type == NftExpressionValues.NumgenIncremental);
            case Fib when first == NftExpressionValues.FibAddressType && second == NftExpressionValues.FibSource:
                return new NftFibAddrType(NftFibAddress.Saddr);
            case Fib when first == NftExpressionValues.FibAddressType && second == NftExpressionValues.FibDestination:
                return new NftFibAddrType(NftFibAddress.Daddr);
            default:
                return null;
        }
    }

    private static uint FibFlags(NftFibAddress address) =>
        address == NftFibAddress.Saddr ? NftExpressionValues.FibSource : NftExpressionValues.FibDestination;

    private static void WriteEmpty(NftUserdataWriter writer, byte type, uint kind)
    {
        var start = writer.Begin(type);
        writer.Put(Kind, kind);
        writer.End(writer.Begin(Content));
        writer.End(start);
    }
}
