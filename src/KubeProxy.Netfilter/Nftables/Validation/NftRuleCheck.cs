using System.Text;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>Finds what is wrong with a rule by itself: types, lengths, families, a port without a protocol.</summary>
internal static class NftRuleCheck
{
    private const int MaxLogPrefix = 127; // NF_LOG_PREFIXLEN - 1

    public static string? Problem(NftFamily family, NftRule rule)
    {
        if (rule.Statements.IsDefault) return "no statements";
        var context = new NftPacketContext(family);
        foreach (var statement in rule.Statements)
        {
            if (statement is NftCounter) continue;
            // Most statements of most rules have no expressions, and to look for them takes as long as to encode the statement.
            var hasNoParts = statement is NftOpaque or NftVerdictStatement;
            if ((hasNoParts ? Statement(family, statement) : WithParts(family, statement, context)) is { } problem)
                return $"{Text.NftText.Of(statement)}: {problem}";
            context.See(statement);
        }

        return null;
    }

    public static string? Verdict(NftVerdict verdict)
    {
        if (verdict.Chain?.StartsWith("__chain", StringComparison.Ordinal) == true) return "the block of a jump { ... } is not written by this library";
        var needsChain = verdict.Kind is NftVerdictKind.Jump or NftVerdictKind.Goto;
        return needsChain == !string.IsNullOrEmpty(verdict.Chain) ? null : "a jump or goto, and only that, names a chain";
    }

    private static string? WithParts(NftFamily family, NftStatement statement, NftPacketContext context) => Families(family, statement)
        ?? NftParts.All(statement).Select(expression => Expression(family, expression)).FirstOrDefault(problem => problem is not null)
        ?? Statement(family, statement) ?? Protocol(statement, context);

    private static string? Families(NftFamily table, NftStatement statement)
    {
        NftFamily? first = null;
        foreach (var family in NftParts.Families(statement))
        {
            if (!NftPacketContext.IsMixed(table) && family != table) return $"no such field in the {table} family";
            if (family != (first ??= family)) return "no packet has fields of both families";
        }

        return null;
    }

    /// <summary>A field of a transport's header is only there after a comparison of the protocol: without, the bytes are something else.</summary>
    private static string? Protocol(NftStatement statement, NftPacketContext context)
    {
        var fields = NftParts.All(statement).OfType<NftPayload>().Select(payload => payload.Field);
        if (statement is NftSetPayload set) fields = fields.Append(set.Field);
        foreach (var field in fields)
        {
            if (field.Base != NftPayloadBase.Transport || field.Owner == NftHeaders.Th) continue;
            if (context.FindHeader(field.Base) != field.Owner) return $"needs a comparison of the protocol before it, such as meta l4proto {field.Owner.Selector}";
        }

        return null;
    }

    private static string? Statement(NftFamily family, NftStatement statement) => statement switch
    {
        NftMatch match => Constant(match.Left, match.Right),
        NftRangeMatch match => Constant(match.Left, match.From) ?? Constant(match.Left, match.To),
        NftPrefixMatch match => Prefix(match),
        NftBitsMatch match => match.Left.FormatsOf() is [{ Bytes: > 4 }] or { Length: > 1 } ? "not a number of at most 4 bytes" : null,
        NftAnonymousSetMatch match => NftElementsCheck.Problem(match.Key, null, false, match.Elements),
        NftAnonymousVerdictMap map => NftElementsCheck.Problem(map.Key, null, true, map.Elements),
        NftVerdictStatement verdict => Verdict(verdict.Verdict),
        NftSetMeta set => Assigned(set.Value, NftKeyTable.Meta(set.Key).Format),
        NftSetCt set => Assigned(set.Value, NftKeyTable.Ct(set.Key).Format),
        NftSetPayload set => Assigned(set.Value, set.Field.Format)
            ?? (set.Field.IsPart && set.Value is not NftConstant ? "only a constant can be written to a field of less than whole bytes" : null),
        NftNat nat => NftNatCheck.Problem(family, nat),
        NftTproxy tproxy => Tproxy(family, tproxy),
        NftQueue queue => queue.To < queue.From ? "the last queue is before the first" : null,
        NftLog log => Log(log),
        NftLimit limit => limit.Rate == 0 || limit.Unit is not (1 or 60 or 3600 or 86400 or 604800) ? "a limit needs a rate, and the seconds of a second, minute, hour, day or week" : null,
        NftDynset dynset => dynset.Data is { } data ? Data(data) : null,
        NftOpaque opaque => NftOpaqueCheck.Problem(opaque),
        NftObjectReference reference => string.IsNullOrEmpty(reference.Name) ? "no name" : null,
        NftObjectMapStatement map => string.IsNullOrEmpty(map.Map) == map.Elements is null ? "either a map, or elements" : null,
        _ => null,
    };

    private static string? Expression(NftFamily family, NftExpression expression) => expression switch
    {
        NftRawPayload raw => raw.BitLength <= 0 || raw.BitLength % 8 != 0 || raw.BitOffset % 8 != 0 || raw.BitOffset < 0 || raw.BitLength > NftData.MaxLength * 8 ? "not whole bytes" : null,
        NftConcat concat => Concat(concat),
        NftAnonymousMapLookup map => NftElementsCheck.Problem(map.Key, map.DataType, false, map.Elements),
        NftBitwise bitwise => bitwise.Mask.Length == bitwise.Xor.Length && (NftExpressionTypes.LengthOf(bitwise.Value) ?? bitwise.Mask.Length) == bitwise.Mask.Length
            ? null : "mask and xor do not have the length of the value",
        NftShift { Bits: 0 or > 31 } => "shifts are 1 to 31 bits far",
        NftCt { Key: NftCtKey.SrcIp or NftCtKey.DstIp } when family == NftFamily.Ip6 => $"no such address in the {family} family",
        NftCt { Key: NftCtKey.SrcIp6 or NftCtKey.DstIp6 } when family == NftFamily.Ip => $"no such address in the {family} family",
        NftJhash hash => hash.Modulus == 0 ? "jhash needs a modulus of 1 or more" : null,
        NftSymhash { Modulus: 0 } => "symhash needs a modulus of 1 or more",
        NftNumgen { Modulus: 0 } => "numgen needs a modulus of 1 or more",
        NftConstant constant => NftDataTypes.TryByteLength(constant.Type) is { } length && constant.Type is not (NftDataType.Integer or NftDataType.Time) && constant.Value.Length != length
            ? "the constant does not have the length of its type" : null,
        _ => null,
    };

    private static string? Concat(NftConcat concat)
    {
        if (concat.Parts.Length < 2) return "a concatenation has two or more parts";
        if (concat.Parts.FirstOrDefault(part => part is NftConcat or NftMapLookup or NftAnonymousMapLookup) is { } wrong)
            return $"{Text.NftText.Of(wrong)} cannot be part of a concatenation";
        if (concat.Parts.Length > NftDataTypes.MaxConcatenation) return $"more than {NftDataTypes.MaxConcatenation} parts";
        return NftExpressionTypes.LengthOf(concat.FormatsOf()) > NftData.MaxLength ? $"longer than {NftData.MaxLength} bytes" : null;
    }

    private static string? Data(NftExpression data) => NftParts.All(data).Any(part => part is NftMapLookup or NftAnonymousMapLookup)
        ? "nft cannot list an element whose data comes from a map" : null;

    private static string? Assigned(NftExpression value, NftFormat format)
    {
        if (value is NftConstant constant) return constant.Value.Length == format.Bytes ? null : $"the value is not of type {format.Type.NftName()}";
        return value.FormatsOf() is [] or [_] ? null : $"the value is not of type {format.Type.NftName()}";
    }

    private static string? Constant(NftExpression left, NftConstant right)
    {
        if (left.FormatsOf() is not [var format]) return "only one value can be compared; use a set";
        if (right.Type != format.Type) return $"a {format.Type.NftName()} is compared with a {right.Type.NftName()}";
        return right.Value.Length == format.Bytes ? null : "the constant does not have the length of its type";
    }

    private static string? Prefix(NftPrefixMatch match)
    {
        if (Constant(match.Left, match.Prefix) is { } problem) return problem;
        if (match.Operator > NftOperator.NotEqual) return "a prefix is equal or not";
        if (!match.Prefix.Type.IsText())
        {
            if (!NftCanonical.HasPrefixes(match.Prefix.Type)) return "only addresses and names have prefixes";
            return match.PrefixBits < 0 || match.PrefixBits > match.Prefix.Value.Length * 8 ? "no such prefix" : null;
        }

        return match.PrefixBits % 8 != 0 || match.PrefixBits is < 8 or > NftValue.MaxIfnameLength * 8 ? "a name's prefix has 1 to 15 whole bytes" : null;
    }

    private static string? Log(NftLog log)
    {
        if (Encoding.UTF8.GetByteCount(log.Prefix) > MaxLogPrefix || log.Prefix.AsSpan().ContainsAny('"', '\n', '\0'))
            return $"the prefix has at most {MaxLogPrefix} bytes, no quote, line end or zero";
        if (log.Group is not null) return log.Level is null && log.Flags == NftLogFlags.None ? null : "a group has no level and no flags";
        return log.SnapLength is null && log.QueueThreshold is null ? null : "only a group has a snap length and a threshold";
    }

    private static string? Tproxy(NftFamily family, NftTproxy tproxy)
    {
        if (tproxy.Port == 0) return "the port is 1 or more";
        if (tproxy.Address is null && tproxy.Port is null) return "neither an address nor a port";
        return tproxy.Address is { Type: not (NftDataType.Ipv4Addr or NftDataType.Ipv6Addr) } ? "the target is an address"
            : family is not (NftFamily.Ip or NftFamily.Ip6 or NftFamily.Inet) ? "only in tables of IP families" : null;
    }
}
