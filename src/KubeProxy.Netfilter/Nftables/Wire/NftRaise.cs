using System.Runtime.InteropServices;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Makes expressions of what was loaded, and conditions of what was compared with what.</summary>
internal static class NftRaise
{
    /// <summary>What was loaded as an expression that stands for itself; null when there is none.</summary>
    public static NftExpression? Expression(NftLoaded? loaded, NftPacketContext context) => loaded switch
    {
        NftLoaded.Value value => value.Whole,
        NftLoaded.Packet packet => Payload(packet, context),
        NftLoaded.Shifted { IsLeft: false, Inner: NftLoaded.Masked { IsMask: true } masked } shifted when Part(masked, context) is ({ } part, var below) && below == shifted.Bits => part,
        NftLoaded.Shifted shifted when Expression(shifted.Inner, context) is { } inner => new NftShift(inner, shifted.IsLeft, shifted.Bits),
        NftLoaded.Masked { IsMask: true } masked when Part(masked, context) is ({ } part, 0) => part,
        NftLoaded.Masked masked when Expression(masked.Inner, context) is { } inner => new NftBitwise(inner, masked.Mask, masked.Xor),
        NftLoaded.Swapped swapped when Expression(swapped.Inner, context) is { } inner && inner.FormatsOf() is [{ IsSwapped: true }] => new NftNetworkOrder(inner),
        _ => null,
    };

    /// <summary>A field of less than whole bytes, taken out by a mask, and how many bits are below it.</summary>
    public static (NftExpression? Field, int Below) Part(NftLoaded.Masked masked, NftPacketContext context)
    {
        if (!masked.IsMask || NftBits.Run(masked.Mask.Span) is not ({ } start, { } count)) return default;
        var below = (masked.Length * 8) - start - count;
        // As few bytes as the field needs: others are loaded for other reasons.
        if (start >= 8 || below >= 8 || count == masked.Length * 8) return default;
        NftExpression? field = masked.Inner switch
        {
            NftLoaded.Packet packet when context.Find(packet.Base, (packet.Offset * 8) + start, count) is { } known => new NftPayload(known),
            NftLoaded.Value { Whole: NftExtension { IsPresence: false } whole } =>
                whole with { BitOffset = whole.BitOffset + start, BitLength = count } is var part && NftExtensions.Has(part) ? part : null,
            _ => null,
        };
        return (field, below);
    }

    /// <summary>A comparison as statements; none when it is none that this library knows.</summary>
    public static IEnumerable<NftStatement> Compare(NftLoaded? left, NftOperator @operator, NftData value, NftPacketContext context)
    {
        if (left is NftLoaded.Packet packet && @operator == NftOperator.Equal) return Split(packet, value, context);
        return One(left, @operator, value, context) is { } statement ? [statement] : [];
    }

    /// <summary>A comparison with a range.</summary>
    public static NftRangeMatch? Range(NftLoaded? left, bool negated, NftData from, NftData to, NftPacketContext context)
    {
        if (!Operand(left, context, out var expression, out var adjust)) return null;
        if (expression.FormatsOf() is not [var format]) return null;
        (from, to) = (adjust(from), adjust(to));
        return from.Length == format.Bytes && to.Length == format.Bytes ? new NftRangeMatch(expression, Constant(format, from), Constant(format, to), negated) : null;
    }

    private static NftExpression Payload(NftLoaded.Packet packet, NftPacketContext context) =>
        context.Find(packet.Base, packet.Offset * 8, packet.Length * 8) is { } field ? new NftPayload(field) : new NftRawPayload(packet.Base, packet.Offset * 8, packet.Length * 8);

    private static NftStatement? One(NftLoaded? left, NftOperator @operator, NftData value, NftPacketContext context)
    {
        if (@operator is NftOperator.Equal or NftOperator.NotEqual && left is NftLoaded.Packet packet && Beginning(packet, @operator, value, context) is { } beginning) return beginning;
        if (left is NftLoaded.Masked masked && Part(masked, context).Field is null) return CompareMasked(masked, @operator, value, context);
        if (!Operand(left, context, out var expression, out var adjust)) return null;
        return CompareWhole(expression, @operator, adjust(value));
    }

    /// <summary>What a comparison is about, and how what it is compared with is to be changed for it.</summary>
    private static bool Operand(NftLoaded? left, NftPacketContext context, out NftExpression expression, out Func<NftData, NftData> adjust)
    {
        NftExpression? found;
        switch (left)
        {
            case NftLoaded.Masked masked when Part(masked, context) is ({ } part, var below):
                found = part;
                adjust = value => value.Length == masked.Length ? NftBits.ShiftRight(value, below, part.FormatsOf()[0].Bytes) : default;
                break;
            case NftLoaded.Swapped swapped:
                found = Expression(swapped.Inner, context);
                adjust = value => NftBits.Swap(value);
                break;
            default:
                found = Expression(left, context);
                adjust = value => value;
                break;
        }

        expression = found!;
        return found is not null;
    }

    private static NftStatement? CompareWhole(NftExpression left, NftOperator @operator, NftData value)
    {
        if (left.FormatsOf() is not [var format]) return null;
        if (value.Length == format.Bytes) return new NftMatch(left, @operator, Constant(format, value));
        if (!(format.Type.IsText() || NftCanonical.HasPrefixes(format.Type)) || value.Length >= format.Bytes || value.IsEmpty || @operator > NftOperator.NotEqual) return null;
        if (!format.Type.IsText()) return new NftPrefixMatch(left, @operator, Padded(format, value), value.Length * 8);
        // With its end it is the whole name: iptables compares no more than that.
        var end = value.Span.IndexOf((byte)0);
        if (end >= 0) return end > 0 && end == value.Length - 1 ? new NftMatch(left, @operator, Padded(format, value)) : null;
        return new NftPrefixMatch(left, @operator, Padded(format, value), value.Length * 8);
    }

    private static NftStatement? CompareMasked(NftLoaded.Masked masked, NftOperator @operator, NftData value, NftPacketContext context)
    {
        if (Expression(masked.Inner, context) is not { } inner || inner.FormatsOf() is not [var format]) return null;
        if (masked.Mask.Length != format.Bytes || masked.Xor.Length != format.Bytes || value.Length != format.Bytes) return null;
        var isEquality = @operator is NftOperator.Equal or NftOperator.NotEqual;
        if (isEquality && masked.IsMask && inner is NftPayload && NftCanonical.HasPrefixes(format.Type) && PrefixBits(masked.Mask.Span) is { } bits && IsWithin(value, masked.Mask))
            return new NftPrefixMatch(inner, @operator, Constant(format, value), bits);
        if (isEquality && masked.IsMask && format.Bytes <= 4 && value.Span.IndexOfAnyExcept((byte)0) < 0)
            return new NftBitsMatch(inner, Number(masked.Mask.Span, format), @operator == NftOperator.Equal);
        return new NftMatch(new NftBitwise(inner, masked.Mask, masked.Xor), @operator, Constant(format, value));
    }

    /// <summary>Fields that stand side by side are compared at once: one statement each.</summary>
    private static IEnumerable<NftStatement> Split(NftLoaded.Packet packet, NftData value, NftPacketContext context)
    {
        if (value.Length != packet.Length) yield break;
        var done = 0;
        while (done < packet.Length)
        {
            var rest = packet with { Offset = packet.Offset + done, Length = packet.Length - done };
            var field = context.FindBeginning(rest.Base, rest.Offset * 8);
            var length = field is null || field.IsPart || field.ByteLength > rest.Length ? rest.Length : field.ByteLength;
            var part = rest with { Length = length };
            var bytes = new NftData(value.Span.Slice(done, length));
            yield return Beginning(part, NftOperator.Equal, bytes, context) ?? CompareWhole(Payload(part, context), NftOperator.Equal, bytes)!;
            done += length;
        }
    }

    /// <summary>A prefix of whole bytes: no more of the address is loaded.</summary>
    private static NftPrefixMatch? Beginning(NftLoaded.Packet packet, NftOperator @operator, NftData value, NftPacketContext context)
    {
        if (value.Length != packet.Length || context.FindBeginning(packet.Base, packet.Offset * 8) is not { } field) return null;
        if (!NftCanonical.HasPrefixes(field.Type) || field.ByteLength <= packet.Length) return null;
        return new NftPrefixMatch(new NftPayload(field), @operator, Padded(field.Format, value), value.Length * 8);
    }

    public static NftConstant Constant(NftFormat format, in NftData value) => new(format.Type, value);

    private static uint Number(ReadOnlySpan<byte> bytes, NftFormat format)
    {
        Span<byte> number = stackalloc byte[4];
        number.Clear();
        if (format.IsSwapped)
        {
            bytes.CopyTo(number);
            return MemoryMarshal.Read<uint>(number);
        }

        bytes.CopyTo(number[(4 - bytes.Length)..]);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(number);
    }

    private static bool IsWithin(in NftData value, in NftData mask)
    {
        for (var i = 0; i < value.Length; i++)
            if ((value.Span[i] & ~mask.Span[i]) != 0)
                return false;
        return true;
    }

    private static NftConstant Padded(NftFormat format, in NftData value)
    {
        Span<byte> bytes = stackalloc byte[format.Bytes];
        bytes.Clear();
        value.Span.CopyTo(bytes);
        return new NftConstant(format.Type, new NftData(bytes));
    }

    /// <summary>How many ones the mask begins with, when only zeros follow.</summary>
    private static int? PrefixBits(ReadOnlySpan<byte> mask)
    {
        if (mask.IndexOfAnyExcept((byte)0) < 0) return 0;
        return NftBits.Run(mask) is (0, var count) ? count : null;
    }
}
