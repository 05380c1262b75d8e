using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>Rules, statements and expressions as nft prints them.</summary>
internal static class NftRuleText
{
    /// <summary>A rule; <paramref name="family"/> is that of its table, which decides what nft spells out.</summary>
    public static string Rule(NftRule rule, NftFamily? family = null)
    {
        var text = string.Join(' ', rule.Statements.Select(statement => Statement(statement, family)));
        return rule.Comment is { } comment ? $"{text} comment {NftValueText.Quoted(comment)}" : text;
    }

    public static string Statement(NftStatement statement, NftFamily? family = null) => statement switch
    {
        NftMatch match => Match(match),
        NftPrefixMatch match => $"{Expression(match.Left)}{NotEqual(match.Operator)} {Prefix(match)}",
        NftBitsMatch match => Bits(match),
        NftSetMatch match => $"{Expression(match.Key)}{(match.Negated ? " !=" : "")} @{match.Set}",
        NftAnonymousSetMatch match => $"{Expression(match.Key)}{(match.Negated ? " !=" : "")} {Anonymous(match.Key, null, match.Elements)}",
        NftVerdictStatement verdict => verdict.Verdict.ToString(),
        NftVerdictMapStatement map => $"{Expression(map.Key)} vmap @{map.Map}",
        NftAnonymousVerdictMap map => $"{Expression(map.Key)} vmap {Anonymous(map.Key, null, map.Elements)}",
        NftSetMark mark => $"meta mark set {Expression(mark.Value)}",
        NftSetCtMark mark => $"ct mark set {Expression(mark.Value)}",
        NftDnat dnat => Dnat(dnat, family),
        NftMasquerade masquerade => masquerade.FullyRandom ? "masquerade fully-random" : "masquerade",
        NftRedirect redirect => $"redirect to :{Expression(redirect.Port)}",
        NftTproxy tproxy => Tproxy(tproxy, family),
        NftTransparentSocket => "socket transparent 1",
        NftReject reject => reject.TcpReset ? "reject with tcp reset" : "reject",
        NftCounter counter => $"counter packets {counter.Packets} bytes {counter.Bytes}",
        NftLog log => log.Prefix.Length == 0 ? "log" : $"log prefix {NftValueText.Quoted(log.Prefix)}",
        NftSetAddress set => $"{NftFields.Layout(set.Field).Text} set {Expression(set.Value)}",
        NftDynset dynset => Dynset(dynset),
        NftOpaque { Extension: { } extension } opaque => $"xt {opaque.Name} {NftValueText.Quoted(extension)}",
        NftOpaque opaque => $"# opaque {opaque.Name} {Convert.ToHexStringLower(opaque.Attributes.AsSpan())} #",
        _ => statement.ToString(),
    };

    public static string Expression(NftExpression expression) => expression switch
    {
        NftPayload payload => NftFields.Layout(payload.Field).Text,
        NftMeta meta => Meta(meta.Key),
        NftCt ct => "ct " + Word(ct.Key),
        NftCtOriginal original => "ct original " + NftFields.Layout(original.Field).Text,
        NftJhash hash => $"jhash {Expression(hash.Value)} mod {NftValueText.Decimal(hash.Modulus)} seed 0x{hash.Seed:x}",
        NftFibAddrType fib => $"fib {Word(fib.Address)} type",
        NftNumgen numgen => $"numgen {(numgen.Incremental ? "inc" : "random")} mod {NftValueText.Decimal(numgen.Modulus)}",
        NftConcat concat => string.Join(" . ", concat.Parts.Select(Expression)),
        NftConstant constant => NftValueText.Value(constant.Type, constant.Value.Span),
        NftMapLookup lookup => $"{Expression(lookup.Key)} map @{lookup.Map}",
        NftAnonymousMapLookup map => $"{Expression(map.Key)} map {Anonymous(map.Key, map.DataType, map.Elements)}",
        NftBitwise bitwise => Bitwise(bitwise),
        _ => expression.ToString(),
    };

    private static string Dynset(NftDynset dynset)
    {
        var timeout = dynset.Timeout is { } time ? " timeout " + NftValueText.Time(time) : "";
        var data = dynset.Data is { } value ? " : " + Expression(value) : "";
        return $"{Word(dynset.Operation)} @{dynset.Set} {{ {Expression(dynset.Key)}{timeout}{data} }}";
    }

    private static string Match(NftMatch match)
    {
        // With an expression on the left, and for bit sets (where nothing means "any of"), nft wants the operator spelled out.
        var equal = match.Left is NftBitwise || match.Right.Type is NftDataType.CtState or NftDataType.CtStatus ? " ==" : "";
        return $"{Expression(match.Left)}{(match.Operator == NftOperator.NotEqual ? " !=" : equal)} {Expression(match.Right)}";
    }

    private static string Prefix(NftPrefixMatch match)
    {
        var value = match.Prefix.Value.Span;
        if (match.Prefix.Type == NftDataType.Ifname)
            return NftValueText.Quoted(Encoding.UTF8.GetString(value[..Math.Min(value.Length, match.PrefixBits / 8)]) + "*");
        return $"{NftValueText.Value(match.Prefix.Type, value)}/{NftValueText.Decimal((uint)match.PrefixBits)}";
    }

    private static string Bits(NftBitsMatch match)
    {
        var type = match.Left.TypesOf() is [var single] ? single : NftDataType.Integer;
        if (type is NftDataType.CtState or NftDataType.CtStatus)
            return $"{Expression(match.Left)} {(match.None ? "! " : "")}{NftValueText.Bits(type, match.Bits)}";
        return $"{Expression(match.Left)} & {NftValueText.Hex(match.Bits)} {(match.None ? "==" : "!=")} {NftValueText.Hex(0)}";
    }

    private static string Bitwise(NftBitwise bitwise)
    {
        var text = Expression(bitwise.Value);
        var (mask, xor) = (bitwise.Mask, bitwise.Xor);
        if (xor == 0) return $"{text} & {NftValueText.Hex(mask)}";
        if (mask == uint.MaxValue) return $"{text} ^ {NftValueText.Hex(xor)}";
        if ((mask & xor) != 0) return $"{text} & {NftValueText.Hex(mask)} ^ {NftValueText.Hex(xor)}";
        var or = $" | {NftValueText.Hex(xor)}";
        return mask == ~xor ? text + or : $"{text} & {NftValueText.Hex(mask | xor)}{or}";
    }

    private static string Dnat(NftDnat dnat, NftFamily? family)
    {
        // nft names the family where it is not clear: in inet tables, and beside a map with ports.
        var named = family == NftFamily.Inet || dnat.TargetHasPort ? dnat.IPv6 ? "ip6 " : "ip " : "";
        if (dnat.Target is not NftConstant constant) return $"dnat {named}to {Expression(dnat.Target)}";
        var address = Expression(constant);
        if (dnat.Port is not { } port) return $"dnat {named}to {address}";
        return $"dnat {named}to {(dnat.IPv6 ? $"[{address}]" : address)}:{NftValueText.Decimal(port)}";
    }

    private static string Tproxy(NftTproxy tproxy, NftFamily? family)
    {
        var isIPv6 = tproxy.Address.Type == NftDataType.Ipv6Addr;
        var named = family == NftFamily.Inet ? isIPv6 ? "ip6 " : "ip " : "";
        var address = Expression(tproxy.Address);
        return $"tproxy {named}to {(isIPv6 ? $"[{address}]" : address)}:{NftValueText.Decimal(tproxy.Port)}";
    }

    private static string Anonymous(NftExpression key, NftTypes? data, NftElements elements)
    {
        var keyTypes = key.TypesOf();
        return $"{{ {string.Join(", ", elements.Items.Select(element => NftSetText.Element(keyTypes, data?.Parts ?? [], elements.IsInterval, element)))} }}";
    }

    private static string NotEqual(NftOperator @operator) => @operator == NftOperator.NotEqual ? " !=" : "";

    private static string Meta(NftMetaKey key) => key switch
    {
        NftMetaKey.Iifname or NftMetaKey.Oifname => Word(key),
        _ => "meta " + Word(key),
    };

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
