using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;
using KubeProxy.Netfilter.Nftables.Validation;
using KubeProxy.Netfilter.Tests.Nftables.Contract;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Nftables;

public sealed class NftTextTests
{
    private static readonly NftTableKey Table = new(NftFamily.Ip, "t");
    private static readonly NftChainKey Chain = new(Table, "c");
    private static readonly NftSet Map = new(new NftSetKey(Table, "m"))
    {
        Kind = NftSetKind.Map, KeyType = [NftDataType.Ipv4Addr, NftDataType.InetService], DataType = [NftDataType.Mark], Comment = "marks",
    };

    private static readonly NftElement[] Elements =
        [.. Enumerable.Range(1, 5).Select(i => new NftElement { Key = NftValue.Concat(NftCases.Bytes($"10.0.0.{i}"), NftValue.Port(80)), Data = NftValue.Number(0x4000) })];

    public static IEnumerable<(NftOperation Operation, string Text)> Operations() =>
    [
        (new NftOperation.AddTable(new NftTable(Table) { Comment = "c", Flags = NftTableFlags.Dormant }), "add table ip t { flags dormant; comment \"c\"; }"),
        (new NftOperation.DeleteTable(Table), "delete table ip t"),
        (new NftOperation.AddChain(new NftChain(Chain)), "add chain ip t c"),
        (new NftOperation.AddChain(new NftChain(Chain) { Base = new NftBaseChain(NftChainType.Nat, NftHook.Output, -100), Comment = "c" }),
            "add chain ip t c { type nat hook output priority -100; policy accept; comment \"c\"; }"),
        (new NftOperation.AddChain(new NftChain(Chain) { Base = new NftBaseChain(NftChainType.Filter, NftHook.Prerouting, -110, DropByDefault: true) }),
            "add chain ip t c { type filter hook prerouting priority dstnat - 10; policy drop; }"),
        (new NftOperation.DeleteChain(Chain), "delete chain ip t c"),
        (new NftOperation.FlushChain(Chain), "flush chain ip t c"),
        (new NftOperation.AddSet(Map), "add map ip t m { type ipv4_addr . inet_service : mark; comment \"marks\"; }"),
        (new NftOperation.DeleteSet(Map.Key), "delete set ip t m"),
        (new NftOperation.FlushSet(Map.Key), "flush set ip t m"),
        (new NftOperation.DeleteSet(Map.Key) { Kind = NftSetKind.Map }, "delete map ip t m"),
        (new NftOperation.FlushSet(Map.Key) { Kind = NftSetKind.VerdictMap }, "flush map ip t m"),
        (new NftOperation.AddRule(Chain, new NftRule(new NftVerdictStatement(NftVerdict.Drop)) { Comment = "why" }), "add rule ip t c drop comment \"why\""),
        (new NftOperation.DeleteRule(Chain, 7), "delete rule ip t c handle 7"),
        (new NftOperation.InsertRule(Chain, new NftRule(new NftVerdictStatement(NftVerdict.Accept)), null), "insert rule ip t c accept"),
        (new NftOperation.InsertRule(Chain, new NftRule(new NftVerdictStatement(NftVerdict.Accept)), 7), "insert rule ip t c handle 7 accept"),
        (new NftOperation.AddObject(NftObject.Of(Table, "hits", new NftCounter { Packets = 1, Bytes = 2 }) with { Comment = "why" }), "add counter ip t hits { comment \"why\"; packets 1 bytes 2; }"),
        (new NftOperation.DeleteObject(new NftObjectKey(Table, NftObjectKind.CtHelper, "h")), "delete ct helper ip t h"),
        (new NftOperation.AddFlowtable(new NftFlowtable(new NftFlowtableKey(Table, "f"), [4, 0, 1, 0])), "add flowtable ip t f { <opaque 0x04000100> }"),
        (new NftOperation.DeleteFlowtable(new NftFlowtableKey(Table, "f")), "delete flowtable ip t f"),
        (new NftOperation.AddElements(Map, [Elements[0]]), "add element ip t m { 10.0.0.1 . 80 : 0x00004000 }"),
        (new NftOperation.DeleteElements(Map, [new NftElement { Key = Elements[0].Key }]), "delete element ip t m { 10.0.0.1 . 80 }"),
    ];

    [Fact]
    public void A_refusal_names_the_extension_of_xtables_that_may_be_missing()
    {
        var rule = new NftRule(new XtExtension("statistic", 0, new byte[8]).ToExpression(XtExtension.Match), new NftVerdictStatement(NftVerdict.Drop));
        var refused = new NftOperation.AddRule(new NftChainKey(new NftTableKey(NftFamily.Ip, "nat"), "KUBE-SVC-X"), rule);
        Assert.Equal(
            "what it refers to does not exist, or the kernel lacks CONFIG_NFT_COMPAT (module nft_compat) or match \"statistic\" of xtables",
            NftMissingFeature.Explain(Errno.NoSuchEntry, refused));
    }

    [Fact]
    public void Operations_are_nft_commands() =>
        Assert.All(Operations(), @case => Assert.Equal(@case.Text, NftText.Of(@case.Operation)));

    [Fact]
    public void Long_lists_of_elements_are_cut_where_asked() =>
        Assert.Equal(
            "add element ip t m { 10.0.0.1 . 80 : 0x00004000, 10.0.0.2 . 80 : 0x00004000, ... } # 5 elements",
            NftText.Of(new NftOperation.AddElements(Map, Elements), 2));

    [Fact]
    public void Rules_read_as_nft_prints_them()
    {
        var daddr = new NftPayload(NftField.IpDaddr);
        var tuple = new NftConcat(daddr, new NftMeta(NftMetaKey.L4proto), new NftPayload(NftField.ThDport));
        (NftStatement Statement, string Text)[] cases =
        [
            (new NftVerdictMapStatement(tuple, "service-ips"), "ip daddr . meta l4proto . th dport vmap @service-ips"),
            (NftNat.Dnat(new NftMapLookup(new NftConcat([.. tuple.Parts, new NftNumgen(3)]), "endpoints"), null, true, false),
                "dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 3 map @endpoints"),
            (new NftPrefixMatch(daddr, NftOperator.NotEqual, NftCases.Ip("127.0.0.0"), 8), "ip daddr != 127.0.0.0/8"),
            (new NftBitsMatch(new NftCt(NftCtKey.State), (uint)(NftCtState.New | NftCtState.Established)), "ct state established,new"),
            (new XtExtension("comment", 0, new byte[8]).ToExpression(XtExtension.Match), "<opaque match \"comment\">"),
            (new NftOpaque("limit") { Attributes = [1, 2] }, "<opaque limit 0x0102>"),
            (new NftBitsMatch(new NftMeta(NftMetaKey.Mark), 0x4000), "meta mark & 0x00004000 != 0x00000000"),
            (new NftSetMeta(NftMetaKey.Mark, new NftBitwise(new NftMeta(NftMetaKey.Mark), ~0x4000u, 0x4000)), "meta mark set meta mark | 0x00004000"),
            (new NftSetMeta(NftMetaKey.Mark, new NftBitwise(new NftMeta(NftMetaKey.Mark), uint.MaxValue, 0x4000)), "meta mark set meta mark ^ 0x00004000"),
            (new NftSetCt(NftCtKey.Mark, new NftBitwise(new NftCt(NftCtKey.Mark), ~0x4000u, 0x4000)), "ct mark set ct mark | 0x00004000"),
            (NftNat.Dnat(NftCases.Ip("fd00::1"), 80, false, true), "dnat to [fd00::1]:80"),
            (new NftAnonymousSetMatch(daddr, new NftElements(new NftElement { Key = NftCases.Bytes("10.0.0.0"), KeyEnd = NftCases.Bytes("10.255.255.255") }, new NftElement { Key = NftCases.Bytes("1.1.1.1") })),
                "ip daddr { 1.1.1.1, 10.0.0.0/8 }"),
        ];
        Assert.All(cases, @case => Assert.Equal(@case.Text, NftText.Of(@case.Statement)));
    }

    [Fact]
    public void The_language_reads_as_nft_prints_it() =>
        Assert.All(NftLanguage.Statements(), @case => Assert.Equal(@case.Text, NftText.Of(@case.Statement)));

    [Fact]
    public void Nothing_opaque_is_text_that_could_be_something_else()
    {
        var opaque = new NftOpaque("xyz") { Attributes = [1, 2] };
        Assert.Equal("meta l4proto tcp <opaque xyz 0x0102> drop", NftText.Of(
            new NftRule(NftCases.Tcp, opaque, new NftVerdictStatement(NftVerdict.Drop)), NftFamily.Inet));
    }

    [Fact]
    public void A_comparison_of_the_protocol_is_left_out_where_a_field_says_it()
    {
        var port = new NftMatch(new NftPayload(NftField.ThDport), NftOperator.Equal, new NftConstant(NftDataType.InetService, NftValue.Port(22)));
        Assert.Equal("tcp dport 22", NftText.Of(new NftRule(NftCases.Tcp, port), NftFamily.Inet));
        Assert.Equal("meta l4proto tcp counter packets 0 bytes 0 tcp dport 22", NftText.Of(new NftRule(NftCases.Tcp, new NftCounter(), port), NftFamily.Inet));
        Assert.Equal("th dport 22", NftText.Of(new NftRule(port), NftFamily.Inet));
    }

    [Fact]
    public void Every_statement_expression_and_operation_has_a_case()
    {
        var seen = new HashSet<Type>();
        foreach (var @case in NftCases.Rules()) Collect(@case.Rule.Statements, seen);
        foreach (var (set, _) in NftCases.Sets(NftFamily.Ip)) Collect(set.KeyTypeof, seen);
        foreach (var (operation, _) in Operations()) seen.Add(operation.GetType());
        foreach (var (statement, _) in NftLanguage.Statements()) Collect(new[] { statement }, seen);
        seen.Add(typeof(NftOpaque)); // has tests of its own: no text stands for it
        var all = typeof(NftStatement).Assembly.GetTypes().Where(type => !type.IsAbstract
            && (type.IsSubclassOf(typeof(NftStatement)) || type.IsSubclassOf(typeof(NftExpression)) || type.IsSubclassOf(typeof(NftOperation))));
        Assert.Empty(all.Except(seen));
    }

    /// <summary>The types of everything that the records hold, found by their public properties.</summary>
    private static void Collect(object? value, HashSet<Type> seen)
    {
        switch (value)
        {
            case System.Collections.IEnumerable list and not string:
                foreach (var item in list) Collect(item, seen);
                break;
            case NftStatement or NftExpression:
                seen.Add(value.GetType());
                foreach (var property in value.GetType().GetProperties().Where(property => property.GetIndexParameters().Length == 0))
                    if (property.PropertyType.IsAssignableTo(typeof(NftExpression)) || property.PropertyType.IsAssignableTo(typeof(NftStatement)) || property.PropertyType.Name.StartsWith("ImmutableArray", StringComparison.Ordinal))
                        Collect(property.GetValue(value), seen);
                break;
        }
    }
}
