using System.Text;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>Finds what is wrong with a rule by itself: types, lengths, families.</summary>
internal static class NftRuleCheck
{
    private const int MaxLogPrefix = 127; // NF_LOG_PREFIXLEN - 1

    public static string? Problem(NftFamily family, NftRule rule)
    {
        if (rule.Statements.IsDefault) return "no statements";
        if (family is not (NftFamily.Ip or NftFamily.Ip6 or NftFamily.Inet) && !rule.Statements.All(statement => statement is NftOpaque))
            return $"rules of the {family} family are not supported";
        foreach (var statement in rule.Statements)
            if ((Statement(family, statement) ?? Families(statement)) is { } problem)
                return $"{Text.NftText.Of(statement)}: {problem}";
        return null;
    }

    private static string? Families(NftStatement statement)
    {
        NftFamily? first = null;
        foreach (var family in NftStatementFamilies.Of(statement))
            if (family != (first ??= family)) return "no packet has fields of both families";
        return null;
    }

    public static string? Verdict(NftVerdict verdict)
    {
        var needsChain = verdict.Kind is NftVerdictKind.Jump or NftVerdictKind.Goto;
        return needsChain == !string.IsNullOrEmpty(verdict.Chain) ? null : "a jump or goto, and only that, names a chain";
    }

    private static string? Statement(NftFamily family, NftStatement statement) => statement switch
    {
        NftMatch match => Expression(family, match.Left) ?? Constant(match.Left, match.Right),
        NftPrefixMatch match => Expression(family, match.Left) ?? Prefix(match),
        NftBitsMatch match => Expression(family, match.Left) ?? Number(match.Left),
        NftSetMatch match => Expression(family, match.Key),
        NftVerdictMapStatement map => Expression(family, map.Key),
        NftAnonymousSetMatch match => Expression(family, match.Key) ?? Elements(match.Key, 0, false, match.Elements),
        NftAnonymousVerdictMap map => Expression(family, map.Key) ?? Elements(map.Key, 0, true, map.Elements),
        NftVerdictStatement verdict => Verdict(verdict.Verdict),
        NftSetMark mark => Expression(family, mark.Value) ?? Number(mark.Value),
        NftSetCtMark mark => Expression(family, mark.Value) ?? Number(mark.Value),
        NftDnat dnat => Expression(family, dnat.Target) ?? Dnat(family, dnat),
        NftRedirect redirect => Expression(family, redirect.Port) ?? Port(redirect.Port),
        NftTproxy tproxy => Expression(family, tproxy.Address) ?? Tproxy(family, tproxy),
        NftLog log => Encoding.UTF8.GetByteCount(log.Prefix) > MaxLogPrefix || log.Prefix.AsSpan().ContainsAny('"', '\n', '\0')
            ? $"the prefix has at most {MaxLogPrefix} bytes, no quote, line end or zero" : null,
        NftDynset dynset => Expression(family, dynset.Key) ?? (dynset.Data is { } data ? Expression(family, data) ?? Data(data) : null),
        NftSetAddress set => Expression(family, new NftPayload(set.Field)) ?? Expression(family, set.Value) ?? Address(set),
        NftTransparentSocket or NftMasquerade or NftReject or NftCounter or NftOpaque => null,
        _ => "unknown statement",
    };

    private static string? Expression(NftFamily family, NftExpression expression) => expression switch
    {
        NftPayload payload when NftFields.Layout(payload.Field).Family is { } own && family != NftFamily.Inet && own != family =>
            $"no such field in the {family} family",
        NftConcat concat => Concat(family, concat),
        NftMapLookup lookup => Expression(family, lookup.Key),
        NftAnonymousMapLookup map => Expression(family, map.Key)
            ?? Elements(map.Key, NftDataTypes.ByteLength(map.DataType.Parts.AsSpan()), false, map.Elements),
        NftBitwise bitwise => Expression(family, bitwise.Value) ?? Number(bitwise.Value),
        NftCtOriginal original => Original(family, original),
        NftJhash hash => Expression(family, hash.Value) ?? Hash(hash),
        NftNumgen { Modulus: 0 } => "numgen needs a modulus of 1 or more",
        NftConstant constant => constant.Value.Length == constant.Type.ByteLength() ? null : "the constant does not have the length of its type",
        _ => null,
    };

    private static string? Concat(NftFamily family, NftConcat concat)
    {
        if (concat.Parts.Length < 2) return "a concatenation has two or more parts";
        if (concat.Parts.FirstOrDefault(part => part is not (NftPayload or NftMeta or NftCt or NftCtOriginal or NftFibAddrType or NftNumgen or NftJhash)) is { } wrong)
            return $"{Text.NftText.Of(wrong)} cannot be part of a concatenation";
        if (concat.Parts.Length > NftDataTypes.MaxConcatenation) return $"more than {NftDataTypes.MaxConcatenation} parts";
        if (NftDataTypes.ByteLength(concat.TypesOf().AsSpan()) > NftData.MaxLength) return $"longer than {NftData.MaxLength} bytes";
        return concat.Parts.Select(part => Expression(family, part)).FirstOrDefault(problem => problem is not null);
    }

    private static string? Original(NftFamily family, NftCtOriginal original) =>
        !IsAddress(original.Field) ? "only addresses are kept" : NftFields.Layout(original.Field).Family == family ? null : $"no such address in the {family} family";

    private static string? Hash(NftJhash hash)
    {
        if (hash.Modulus == 0) return "jhash needs a modulus of 1 or more";
        var parts = hash.Value is NftConcat concat ? [.. concat.Parts] : new[] { hash.Value };
        return parts.All(part => part is NftPayload or NftCtOriginal) ? null : "only addresses and ports can be hashed";
    }

    private static string? Data(NftExpression data) =>
        data is NftPayload or NftMeta or NftCt or NftCtOriginal ? null : "the data of an element that a rule adds is a field or what is known of the connection";

    private static string? Address(NftSetAddress set)
    {
        if (!IsAddress(set.Field)) return "only addresses can be written";
        var type = NftFields.Layout(set.Field).Type;
        return set.Value.TypesOf() is [] || (set.Value.TypesOf() is [var own] && own == type) ? null : $"the value is not of type {type.NftName()}";
    }

    private static bool IsAddress(NftField field) => field is NftField.IpSaddr or NftField.IpDaddr or NftField.Ip6Saddr or NftField.Ip6Daddr;

    private static string? Constant(NftExpression left, NftConstant right)
    {
        if (left.TypesOf() is not [var type]) return "only one value can be compared; use a set";
        if (right.Type != type) return $"a {type.NftName()} is compared with a {right.Type.NftName()}";
        return right.Value.Length == type.ByteLength() ? null : "the constant does not have the length of its type";
    }

    private static string? Prefix(NftPrefixMatch match)
    {
        if (Constant(match.Left, match.Prefix) is { } problem) return problem;
        if (match.Left is not (NftPayload or NftMeta { Key: NftMetaKey.Iifname or NftMetaKey.Oifname })) return "only addresses and names have prefixes";
        if (match.Prefix.Type != NftDataType.Ifname) return match.PrefixBits < 0 || match.PrefixBits > match.Prefix.Value.Length * 8 ? "no such prefix" : null;
        return match.PrefixBits % 8 != 0 || match.PrefixBits is < 8 or > NftValue.MaxIfnameLength * 8 ? "a name's prefix has 1 to 15 whole bytes" : null;
    }

    private static string? Number(NftExpression expression) => expression.TypesOf() is not { Length: > 0 } types
        || (types is [var type] && type.IsHostOrder()) ? null : "not a 4-byte number";

    private static string? Dnat(NftFamily family, NftDnat dnat)
    {
        if (family != NftFamily.Inet && family == NftFamily.Ip6 != dnat.IPv6) return "the address is not of the table's family";
        var address = dnat.IPv6 ? NftDataType.Ipv6Addr : NftDataType.Ipv4Addr;
        if (dnat.Target is NftMapLookup && dnat.Port is null) return null;
        if (dnat.Target is NftAnonymousMapLookup map && dnat.Port is null)
        {
            var expected = dnat.TargetHasPort ? new NftTypes(address, NftDataType.InetService) : new NftTypes(address);
            return map.DataType.Equals(expected) ? null : $"the map's data must be {expected}";
        }

        return dnat.Target is NftConstant constant && constant.Type == address && !dnat.TargetHasPort
            ? null : "the target is a map, or a constant address with or without a constant port";
    }

    private static string? Tproxy(NftFamily family, NftTproxy tproxy)
    {
        if (tproxy.Port == 0) return "the port is 1 or more";
        if (tproxy.Address.Type is not (NftDataType.Ipv4Addr or NftDataType.Ipv6Addr)) return "the target is an address";
        return family != NftFamily.Inet && family == NftFamily.Ip6 != (tproxy.Address.Type == NftDataType.Ipv6Addr)
            ? "the address is not of the table's family" : null;
    }

    private static string? Port(NftExpression port) => port switch
    {
        NftConstant { Type: NftDataType.InetService } or NftMapLookup => null,
        NftAnonymousMapLookup map when map.DataType.Parts is [NftDataType.InetService] => null,
        _ => "the target is a port, or a map of ports",
    };

    private static string? Elements(NftExpression key, int dataLength, bool verdicts, NftElements elements)
    {
        var types = key.TypesOf();
        if (types.IsEmpty) return "the key has no type of its own";
        if (elements.Items.IsEmpty) return "no elements";
        if (elements.IsInterval && !types.All(NftIntervals.CanBeRange)) return "ranges of this type are not supported";
        var keyLength = NftDataTypes.ByteLength(types.AsSpan());
        foreach (var element in elements.Items)
        {
            if (element.Key.Length != keyLength || (elements.IsInterval && element.KeyEnd.Length != keyLength)) return $"a key does not have {keyLength} bytes";
            if (element.Data.Length != dataLength) return $"the data does not have {dataLength} bytes";
            if (elements.IsInterval && NftIntervals.IsReversed(types, element.Key, element.KeyEnd)) return "a range ends before it begins";
            if (verdicts != element.Verdict is not null) return "an element of a verdict map, and only that, has a verdict";
            if (element.Verdict is { } verdict && Verdict(verdict) is { } wrong) return wrong;
            if (NftOperationCheck.Comment(element.Comment) is { } comment) return comment;
        }

        return null;
    }
}
