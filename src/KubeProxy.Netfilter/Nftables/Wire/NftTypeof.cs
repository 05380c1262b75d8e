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
    private const byte PayloadLength = 4; // in bits, for what has no type of its own
    private const uint Verdict = 1; // EXPR_VERDICT
    private const uint Concat = 13; // EXPR_CONCAT
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
        writer.Put(Kind, NftTypeofKinds.Of(expression) ?? throw new ArgumentException($"{expression} cannot be the typeof of a set.", nameof(expression)));
        var start = writer.Begin(Content);
        uint[] numbers = expression switch
        {
            NftPayload { Field: { Type: NftDataType.Integer } field } => [field.Owner.TypeofId, NftHeaders.NumberOf(field)],
            NftPayload payload => [payload.Field.Owner.TypeofId, NftHeaders.NumberOf(payload.Field)],
            // The numbers of the bases are from 1 on in nft.
            NftRawPayload raw => [0, 0, (uint)raw.Base + 1, (uint)raw.BitOffset, (uint)raw.BitLength],
            NftMeta meta => [(uint)meta.Key],
            NftCt ct => [(uint)ct.Key, ct.Direction is { } direction ? (uint)direction : AnyDirection],
            NftRt rt => [(uint)rt.Key],
            NftSocket socket => [(uint)socket.Key],
            NftIpsec ipsec => [(uint)ipsec.Key, ipsec.Number, ipsec.IsOut ? 1u : 0],
            NftNumgen numgen => [numgen.Incremental ? NftExpressionValues.NumgenIncremental : NftExpressionValues.NumgenRandom, numgen.Modulus, numgen.Offset],
            NftFib fib => [(uint)fib.Result, (uint)fib.Flags],
            _ => [],
        };
        for (var i = 0; i < numbers.Length; i++) writer.Put((byte)i, numbers[i]);
        if (expression is NftPayload { Field: { Type: NftDataType.Integer } integer }) writer.Put(PayloadLength, (uint)integer.BitLength);
        writer.End(start);
    }

    private static NftExpression? ReadExpression(ReadOnlySpan<byte> bytes)
    {
        var content = NftUserdataReader.Find(bytes, Content);
        var (first, second, third) = (NftUserdataReader.Number(content, 0), NftUserdataReader.Number(content, 1), NftUserdataReader.Number(content, 2));
        switch (NftUserdataReader.Number(bytes, Kind))
        {
            case NftTypeofKinds.Payload when first == 0 && third is >= 1 and <= 4 && NftUserdataReader.Number(content, 3) is <= ushort.MaxValue and { } offset
                && NftUserdataReader.Number(content, PayloadLength) is > 0 and <= NftData.MaxLength * 8 and { } length:
                return new NftRawPayload((NftPayloadBase)(third.Value - 1), (int)offset, (int)length);
            case NftTypeofKinds.Payload when first is { } header && second is { } number && NftHeaders.Find(header, number) is { } field: return new NftPayload(field);
            case NftTypeofKinds.Meta when first is { } key && NftKeyTable.Has((NftMetaKey)key): return new NftMeta((NftMetaKey)key);
            case NftTypeofKinds.Ct when first is { } key && NftKeyTable.Has((NftCtKey)key) && second is AnyDirection or <= 1:
                return new NftCt((NftCtKey)key, second == AnyDirection ? null : (NftCtDirection)second!.Value);
            case NftTypeofKinds.Rt when first is { } key && NftKeyTable.Has((NftRtKey)key): return new NftRt((NftRtKey)key);
            case NftTypeofKinds.Socket when first is { } key && NftKeyTable.Has((NftSocketKey)key) && (NftSocketKey)key != NftSocketKey.CgroupV2: return new NftSocket((NftSocketKey)key);
            case NftTypeofKinds.Osf: return new NftOsf();
            case NftTypeofKinds.Xfrm when first is { } key && NftKeyTable.Has((NftIpsecKey)key) && second is { } number && third is <= 1: return new NftIpsec((NftIpsecKey)key, third == 1, number);
            case NftTypeofKinds.Numgen when first is { } type && second is { } modulus && third is { } offset: return new NftNumgen(modulus, type == NftExpressionValues.NumgenIncremental, offset);
            case NftTypeofKinds.Fib when first is >= (uint)NftFibResult.Oif and <= (uint)NftFibResult.AddrType && second is { } flags: return new NftFib((NftFibResult)first.Value, (NftFibFlags)flags);
            default: return null;
        }
    }

    private static void WriteEmpty(NftUserdataWriter writer, byte type, uint kind)
    {
        var start = writer.Begin(type);
        writer.Put(Kind, kind);
        writer.End(writer.Begin(Content));
        writer.End(start);
    }
}
