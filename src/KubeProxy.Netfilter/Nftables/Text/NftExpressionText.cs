using System.Collections.Immutable;
using System.Numerics;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>Expressions and conditions.</summary>
internal sealed partial class NftStatementText
{
    // How tightly nft's operators bind; what binds less tightly inside another stands in parentheses.
    private const int Shifts = 1;
    private const int And = 2;
    private const int Xor = 3;
    private const int Or = 4;

    public string Expression(NftExpression expression) => expression switch
    {
        NftPayload payload => NftCanonical.Resolved(payload, context) is NftPayload known ? known.Field.ToString() : Expression(NftCanonical.Resolved(payload, context)),
        NftRawPayload raw => $"@{BaseName(raw.Base)},{NftValueText.Decimal((uint)raw.BitOffset)},{NftValueText.Decimal((uint)raw.BitLength)}",
        NftExtension extension => NftExtensions.Text(extension) ?? NftOpaqueText.Of(extension.ToString()),
        NftMeta meta => NftKeyTable.Meta(meta.Key).Text,
        NftCt ct => $"ct {(ct.Direction is { } direction ? Word(direction) + " " : "")}{NftKeyTable.Ct(ct.Key).Text}",
        NftRt rt => NftKeyTable.Rt(rt.Key).Text,
        NftSocket socket => NftKeyTable.Socket(socket.Key).Text + (socket.Key == NftSocketKey.CgroupV2 ? $" level {NftValueText.Decimal(socket.Level)}" : ""),
        NftOsf osf => $"osf {osf.Ttl switch { 1 => "ttl loose ", 2 => "ttl skip ", _ => "" }}{(osf.Version ? "version" : "name")}",
        NftIpsec ipsec => $"ipsec {(ipsec.IsOut ? "out" : "in")}{(ipsec.Number > 0 ? $" spnum {NftValueText.Decimal(ipsec.Number)}" : "")} {NftKeyTable.Ipsec(ipsec.Key).Text}",
        NftFib fib => Fib(fib),
        NftJhash hash => $"jhash {Expression(hash.Value)} mod {NftValueText.Decimal(hash.Modulus)}{(hash.Seed is { } seed ? $" seed 0x{seed:x}" : "")}{Offset(hash.Offset)}",
        NftSymhash hash => $"symhash mod {NftValueText.Decimal(hash.Modulus)}{Offset(hash.Offset)}",
        NftNumgen numgen => $"numgen {(numgen.Incremental ? "inc" : "random")} mod {NftValueText.Decimal(numgen.Modulus)}{Offset(numgen.Offset)}",
        NftConcat concat => string.Join(" . ", concat.Parts.Select(Expression)),
        NftConstant constant => NftValueText.Value(constant.FormatsOf()[0], constant.Value.Span),
        NftMapLookup lookup => $"{Expression(lookup.Key)} map @{lookup.Map}",
        NftAnonymousMapLookup map => $"{Expression(map.Key)} map {Anonymous(map.Key, map.DataType, map.Elements)}",
        NftBitwise or NftShift => Operation(expression).Text,
        NftNetworkOrder order => Expression(order.Value),
        _ => expression.ToString(),
    };

    /// <summary>A value that is assigned: a constant is of the kind that it is assigned to.</summary>
    private string Assigned(NftExpression value, NftFormat format) => value switch
    {
        NftConstant constant when constant.Value.Length == format.Bytes => Constant(format, constant.Value),
        _ => Expression(value),
    };

    private static string Constant(NftFormat format, in NftData value, bool isNumeric = false)
    {
        return NftValueText.Value(format, value.Span, isNumeric);
    }

    private string Match(NftMatch match)
    {
        var format = FormatOf(match.Left, match.Right.Type);
        if (match.Left is NftBitwise { IsMask: true } bitwise && match.Operator <= NftOperator.NotEqual)
        {
            if (format.Type.IsBits() && FlagMatch(match, bitwise, format) is { } flags) return flags;
            if (MaskBits(bitwise, format) is { } bits)
                return $"{Expression(bitwise.Value)}{NotEqual(match.Operator)} {Constant(format, match.Right.Value)}/{NftValueText.Decimal((uint)bits)}";
        }

        var left = Expression(match.Left);
        var right = Constant(format, match.Right.Value);
        if (match.Left is NftOsf) right = NftValueText.Text(match.Right.Value.Span);
        // With an operation on the left, and for a single bit (where nothing means "any of"), nft wants the operator spelled out.
        var isSingle = format.Type.IsBits() && !right.Contains(" | ", StringComparison.Ordinal);
        return match.Operator == NftOperator.Equal
            ? $"{left}{(match.Left is NftBitwise or NftShift || isSingle ? " ==" : "")} {right}" : $"{left} {Symbol(match.Operator)} {right}";
    }

    /// <summary>Some bits compared under a mask: <c>tcp flags syn / fin,syn,rst,ack</c>.</summary>
    private string? FlagMatch(NftMatch match, NftBitwise bitwise, NftFormat format)
    {
        if (format.Type == NftDataType.CtLabel)
            return match.Right.Value.Span.IndexOfAnyExcept((byte)0) < 0 ? $"{Expression(bitwise.Value)} {(match.Operator == NftOperator.Equal ? "! " : "")}{NftValueText.Value(format, bitwise.Mask.Span)}" : null;
        if (bitwise.Mask.Span.IndexOfAnyExcept((byte)0xFF) < 0) return $"{Expression(bitwise.Value)} {Symbol(match.Operator)} 0x{NftValueText.Hexadecimal(NftValueText.Number(format, match.Right.Value.Span))}";
        var (mask, value) = ((ulong)NftValueText.Number(format, bitwise.Mask.Span), (ulong)NftValueText.Number(format, match.Right.Value.Span));
        if (mask == value && BitOperations.PopCount(value) <= 1) return null;
        var names = string.Join(',', NftValueText.Bits(format.Type, value));
        return $"{Expression(bitwise.Value)}{NotEqual(match.Operator)} {(value == 0 ? "0x0" : names)} / {string.Join(',', NftValueText.Bits(format.Type, mask))}";
    }

    /// <summary>The length of the prefix that a mask is, for types of which nft prints prefixes.</summary>
    private static int? MaskBits(NftBitwise bitwise, NftFormat format)
    {
        if (format.Type is not (NftDataType.Mark or NftDataType.Realm or NftDataType.Ipv4Addr or NftDataType.Ipv6Addr)) return null;
        var mask = NftValueText.Number(format, bitwise.Mask.Span);
        if (mask.IsZero) return 0;
        var below = (int)(mask & -mask).GetBitLength() - 1;
        return mask == (BigInteger.One << format.Bits) - (BigInteger.One << below) ? format.Bits - below : null;
    }

    private static string Range(NftRangeMatch match)
    {
        var format = FormatOf(match.Left, match.From.Type);
        var (from, to) = (match.From.Value, match.To.Value);
        return $"{Constant(format, from, isNumeric: true)}-{Constant(format, to, isNumeric: true)}";
    }

    private static string Prefix(NftPrefixMatch match)
    {
        var value = match.Prefix.Value.Span;
        if (match.Prefix.Type.IsText())
            return NftValueText.Quoted(System.Text.Encoding.UTF8.GetString(value[..Math.Min(value.Length, match.PrefixBits / 8)]) + "*");
        return $"{NftValueText.Value(match.Prefix.Type, value)}/{NftValueText.Decimal((uint)match.PrefixBits)}";
    }

    private string Bits(NftBitsMatch match)
    {
        var format = FormatOf(match.Left, NftDataType.Mark);
        var left = Expression(match.Left);
        if (format.Type.IsBits()) return $"{left} {(match.None ? "! " : "")}{string.Join(',', NftValueText.Bits(format.Type, match.Bits))}";
        var zero = NftValueText.Number(format, 0, false);
        if (format.Type is NftDataType.Mark or NftDataType.Realm && match.Bits != 0 && uint.MaxValue << BitOperations.TrailingZeroCount(match.Bits) == match.Bits)
            return $"{left}{(match.None ? "" : " !=")} {zero}/{NftValueText.Decimal((uint)BitOperations.PopCount(match.Bits))}";
        return $"{left} & {NftValueText.Number(format, match.Bits, true)} {(match.None ? "==" : "!=")} {zero}";
    }

    private (string Text, int Precedence) Operation(NftExpression expression) => expression switch
    {
        NftBitwise bitwise => Bitwise(bitwise),
        NftShift shift => ($"{Inner(shift.Value, Shifts)} {(shift.IsLeft ? "<<" : ">>")} {NftValueText.Decimal(shift.Bits)}", Shifts),
        _ => (Expression(expression), 0),
    };

    private string Inner(NftExpression expression, int precedence)
    {
        var (text, own) = Operation(expression);
        return own > precedence ? $"({text})" : text;
    }

    /// <summary>A mask and bits that are turned over: as <c>&amp;</c>, <c>^</c> and <c>|</c>, as few as do it.</summary>
    private (string Text, int Precedence) Bitwise(NftBitwise bitwise)
    {
        var format = FormatOf(bitwise.Value, NftDataType.Mark);
        var (mask, xor) = (NftValueText.Number(format, bitwise.Mask.Span), NftValueText.Number(format, bitwise.Xor.Span));
        var all = (BigInteger.One << (bitwise.Mask.Length * 8)) - 1;
        var or = xor & (all ^ mask);
        xor &= mask;
        mask |= or;
        var (text, precedence) = (Inner(bitwise.Value, mask != all ? And : !xor.IsZero ? Xor : Or), 0);
        Append(mask != all, "&", mask, And);
        Append(!xor.IsZero, "^", xor, Xor);
        Append(!or.IsZero, "|", or, Or);
        return (text, precedence);

        void Append(bool isNeeded, string symbol, BigInteger number, int own)
        {
            if (!isNeeded) return;
            (text, precedence) = ($"{text} {symbol} {Operand(format, number)}", own);
        }
    }

    private static string Operand(NftFormat format, BigInteger number)
    {
        Span<byte> bytes = stackalloc byte[NftData.MaxLength];
        bytes.Clear();
        if (!number.TryWriteBytes(bytes, out var written, isUnsigned: true) || written > format.Bytes) return "0x" + NftValueText.Hexadecimal(number);
        bytes = bytes[..format.Bytes];
        if (!format.IsSwapped) bytes.Reverse();
        var text = NftValueText.Value(format, bytes);
        return text.Contains(" | ", StringComparison.Ordinal) ? $"({text})" : text;
    }

    /// <summary>How constants beside an expression are printed: those beside bytes of the packet without a name in hexadecimal.</summary>
    private static NftFormat FormatOf(NftExpression expression, NftDataType otherwise)
    {
        if (expression.FormatsOf() is not [var format]) return NftFormat.Of(otherwise);
        return NftParts.All(expression).Any(part => part is NftRawPayload) ? format with { Type = NftDataType.Bitmask } : format;
    }

    private static string Fib(NftFib fib)
    {
        (NftFibFlags Flag, string Word)[] words =
            [(NftFibFlags.Saddr, "saddr"), (NftFibFlags.Daddr, "daddr"), (NftFibFlags.Mark, "mark"), (NftFibFlags.Iif, "iif"), (NftFibFlags.Oif, "oif")];
        var key = string.Join(" . ", words.Where(entry => fib.Flags.HasFlag(entry.Flag)).Select(entry => entry.Word));
        return $"fib {key} {fib.Result switch { NftFibResult.Oif => "oif", NftFibResult.Oifname => "oifname", _ => "type" }}";
    }

    private static string Anonymous(NftExpression key, NftTypes? data, NftElements elements)
    {
        ImmutableArray<NftFormat> formats = key is NftConcat concat ? [.. concat.Parts.Select(part => FormatOf(part, NftDataType.Integer))] : key.FormatsOf() is [_] ? [FormatOf(key, NftDataType.Integer)] : key.FormatsOf();
        var sorted = NftSetText.Sorted(formats, elements);
        return $"{{ {string.Join(", ", sorted.Select(element => NftSetText.Element(formats, data, elements.IsInterval, element)))} }}";
    }

    private static string Offset(uint offset) => offset == 0 ? "" : $" offset {NftValueText.Decimal(offset)}";

    private static string BaseName(NftPayloadBase @base) => @base switch
    {
        NftPayloadBase.Link => "ll",
        NftPayloadBase.Network => "nh",
        NftPayloadBase.Transport => "th",
        _ => "ih",
    };

    private static string NotEqual(NftOperator @operator) => @operator == NftOperator.NotEqual ? " !=" : "";

    private static string Symbol(NftOperator @operator) => @operator switch
    {
        NftOperator.NotEqual => "!=",
        NftOperator.Less => "<",
        NftOperator.LessOrEqual => "<=",
        NftOperator.Greater => ">",
        NftOperator.GreaterOrEqual => ">=",
        _ => "==",
    };

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
