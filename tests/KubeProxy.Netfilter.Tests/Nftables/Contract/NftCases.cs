using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Tests.Nftables.Contract;

/// <summary>A rule, and the table it is tried in.</summary>
public sealed record NftRuleCase(NftFamily Family, NftRule Rule)
{
    public override string ToString() => $"{Family}: {NftText(Rule)}";

    private static string NftText(NftRule rule) => Netfilter.Nftables.Text.NftText.Of(rule);
}

/// <summary>Every kind of statement, expression, set and element, for tests of bytes, text and both implementations.</summary>
public static class NftCases
{
    private static readonly NftExpression Daddr = new NftPayload(NftField.IpDaddr);
    private static readonly NftExpression Saddr = new NftPayload(NftField.IpSaddr);
    private static readonly NftExpression Daddr6 = new NftPayload(NftField.Ip6Daddr);
    private static readonly NftExpression L4 = new NftMeta(NftMetaKey.L4proto);
    private static readonly NftExpression Dport = new NftPayload(NftField.ThDport);
    private static readonly NftExpression Mark = new NftMeta(NftMetaKey.Mark);
    internal static readonly NftStatement Tcp = new NftMatch(L4, NftOperator.Equal, new NftConstant(NftDataType.InetProto, NftValue.Protocol(Protocol.Tcp)));

    public static NftTableKey Table(NftFamily family) => new(family, "t");

    public static NftChainKey Chain(NftFamily family) => new(Table(family), "c");

    public static NftConstant Ip(string address) => IpAddr.Parse(address) is var parsed && parsed.Family == IpFamily.IPv4
        ? new NftConstant(NftDataType.Ipv4Addr, NftValue.Address(parsed))
        : new NftConstant(NftDataType.Ipv6Addr, NftValue.Address(parsed));

    public static NftData Bytes(string address) => NftValue.Address(IpAddr.Parse(address));

    /// <summary>The sets that the rules use, with and without elements.</summary>
    public static IReadOnlyList<(NftSet Set, NftElement[] Elements)> Sets(NftFamily family)
    {
        NftSetKey Key(string name) => new(Table(family), name);
        var isIpv6 = family == NftFamily.Ip6;
        var address = isIpv6 ? NftDataType.Ipv6Addr : NftDataType.Ipv4Addr;
        NftExpression daddr = isIpv6 ? Daddr6 : Daddr;
        NftData A(int n) => Bytes(isIpv6 ? $"fd00::{n:x}" : $"10.0.0.{n}");
        var tcp = NftValue.Protocol(Protocol.Tcp);
        var udp = NftValue.Protocol(Protocol.Udp);
        return
        [
            (new NftSet(Key("plain")) { KeyType = [address], Comment = "Active ClusterIPs" },
                [new NftElement { Key = A(1) }, new NftElement { Key = A(2), Comment = "two" }]),
            (new NftSet(Key("ranges")) { KeyType = [address], Flags = NftSetFlags.Interval },
            [
                new NftElement { Key = Bytes(isIpv6 ? "fd00::" : "10.0.0.0"), KeyEnd = Bytes(isIpv6 ? "fd00::ffff" : "10.255.255.255") },
                new NftElement { Key = Bytes(isIpv6 ? "fd01::1" : "192.168.1.1"), KeyEnd = Bytes(isIpv6 ? "fd01::1" : "192.168.1.1"), Comment = "one" },
                new NftElement { Key = Bytes(isIpv6 ? "fd01::2" : "192.168.1.2"), KeyEnd = Bytes(isIpv6 ? "fd01::9" : "192.168.1.9") },
                new NftElement { Key = Bytes(isIpv6 ? "ff00::" : "240.0.0.0"), KeyEnd = Bytes(isIpv6 ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255"), Comment = "open" },
            ]),
            (new NftSet(Key("tuples")) { KeyType = [address, NftDataType.InetProto, NftDataType.InetService], Size = 1000 },
                [new NftElement { Key = NftValue.Concat(A(1), tcp, NftValue.Port(80)) }]),
            (new NftSet(Key("concat-ranges")) { KeyType = [address, NftDataType.InetService], Flags = NftSetFlags.Interval },
            [
                new NftElement
                {
                    Key = NftValue.Concat(Bytes(isIpv6 ? "fd00::" : "10.0.0.0"), NftValue.Port(80)),
                    KeyEnd = NftValue.Concat(Bytes(isIpv6 ? "fd00::ff" : "10.0.0.255"), NftValue.Port(90)),
                },
            ]),
            (new NftSet(Key("verdicts")) { Kind = NftSetKind.VerdictMap, KeyType = [address, NftDataType.InetProto, NftDataType.InetService], Comment = "services" },
            [
                new NftElement { Key = NftValue.Concat(A(1), tcp, NftValue.Port(80)), Verdict = NftVerdict.Goto("d") },
                new NftElement { Key = NftValue.Concat(A(1), udp, NftValue.Port(53)), Verdict = NftVerdict.Jump("d"), Comment = "ns/svc:dns" },
                new NftElement { Key = NftValue.Concat(A(2), udp, NftValue.Port(53)), Verdict = NftVerdict.Drop },
                new NftElement { Key = NftValue.Concat(A(3), udp, NftValue.Port(53)), Verdict = NftVerdict.Accept },
                new NftElement { Key = NftValue.Concat(A(4), udp, NftValue.Port(53)), Verdict = NftVerdict.Return },
                new NftElement { Key = NftValue.Concat(A(5), udp, NftValue.Port(53)), Verdict = NftVerdict.Continue },
            ]),
            (new NftSet(Key("range-verdicts")) { Kind = NftSetKind.VerdictMap, KeyType = [address], Flags = NftSetFlags.Interval },
                [new NftElement { Key = A(0), KeyEnd = A(7), Verdict = NftVerdict.Jump("d") }]),
            (new NftSet(Key("endpoints"))
            {
                Kind = NftSetKind.Map,
                KeyType = [address, NftDataType.InetProto, NftDataType.InetService, NftDataType.Integer],
                DataType = [address, NftDataType.InetService],
                KeyTypeof = [daddr, L4, Dport, new NftNumgen(2)],
                DataTypeof = [daddr, Dport],
                Comment = "endpoints",
            },
            [
                new NftElement { Key = NftValue.Concat(A(1), tcp, NftValue.Port(80), NftValue.Number(0)), Data = NftValue.Concat(A(101), NftValue.Port(8080)), Comment = "ns/svc" },
                new NftElement { Key = NftValue.Concat(A(1), tcp, NftValue.Port(80), NftValue.Number(1)), Data = NftValue.Concat(A(102), NftValue.Port(8080)) },
            ]),
            (new NftSet(Key("address-map")) { Kind = NftSetKind.Map, KeyType = [address], DataType = [address] },
                [new NftElement { Key = A(1), Data = A(9) }]),
            (new NftSet(Key("typed-map")) { Kind = NftSetKind.Map, KeyType = [address, NftDataType.InetService], DataType = [address, NftDataType.InetService] },
                [new NftElement { Key = NftValue.Concat(A(1), NftValue.Port(1)), Data = NftValue.Concat(A(9), NftValue.Port(2)) }]),
            (new NftSet(Key("marks")) { Kind = NftSetKind.Map, KeyType = [address], DataType = [NftDataType.Mark] },
                [new NftElement { Key = A(1), Data = NftValue.Number(0x4000) }]),
            (new NftSet(Key("ports")) { Kind = NftSetKind.Map, KeyType = [NftDataType.Ifname], DataType = [NftDataType.InetService] },
                [new NftElement { Key = NftValue.Ifname("eth0"), Data = NftValue.Port(8080) }]),
            (new NftSet(Key("affinity")) { KeyType = [address], Flags = NftSetFlags.Dynamic | NftSetFlags.Timeout, Timeout = TimeSpan.FromHours(3), Size = 65535 }, []),
            (new NftSet(Key("clients"))
            {
                Kind = NftSetKind.Map, KeyType = [NftDataType.Integer, NftDataType.Integer], KeyTypeof = [new NftNumgen(1), new NftNumgen(1)],
                DataType = [address], DataTypeof = [daddr], Flags = NftSetFlags.Dynamic | NftSetFlags.Timeout, Size = 100,
            }, [new NftElement { Key = NftValue.Concat(NftValue.Number(1), NftValue.Number(2)), Data = A(9) }]),
            (new NftSet(Key("typeof-single")) { KeyType = [NftDataType.Ifname], KeyTypeof = [new NftMeta(NftMetaKey.Iifname)] }, []),
            (new NftSet(Key("typeof-many"))
            {
                KeyType = [NftDataType.Mark, NftDataType.Ifname, NftDataType.CtState, NftDataType.Mark],
                KeyTypeof = [new NftCt(NftCtKey.Mark), new NftMeta(NftMetaKey.Oifname), new NftCt(NftCtKey.State), Mark],
                Flags = NftSetFlags.Dynamic, Size = 100,
            }, []),
            (new NftSet(Key("typeof-verdicts")) { Kind = NftSetKind.VerdictMap, KeyType = [NftDataType.Integer], KeyTypeof = [new NftNumgen(4, Incremental: true)] },
                [new NftElement { Key = NftValue.Number(3), Verdict = NftVerdict.Drop }]),
            (new NftSet(Key("fib-types")) { KeyType = [NftDataType.FibAddrType], KeyTypeof = [NftFib.TypeOf(NftFibAddress.Daddr)] },
                [new NftElement { Key = NftValue.Number((uint)NftAddrType.Local) }]),
            (new NftSet(Key("macs")) { KeyType = [NftDataType.EtherAddr], Flags = NftSetFlags.Constant },
                [new NftElement { Key = new NftData([0, 1, 2, 3, 4, 5]) }]),
            (new NftSet(Key("families")) { KeyType = [NftDataType.NfProto, NftDataType.CtStatus] },
                [new NftElement { Key = NftValue.Concat(NftValue.Family(NftFamily.Ip), NftValue.Number((uint)NftCtStatus.Dnat)) }]),
        ];
    }

    /// <summary>Makes the table with chains, sets and elements.</summary>
    public static NftTransaction Prepare(NftFamily family)
    {
        var transaction = new NftTransaction()
            .Add(new NftTable(Table(family)) { Comment = "rules for tests" })
            .Add(new NftChain(Chain(family)) { Comment = "the tried one" })
            .Add(new NftChain(new NftChainKey(Table(family), "d")))
            .Add(new NftChain(new NftChainKey(Table(family), "nat-prerouting")) { Base = new NftBaseChain(NftChainType.Nat, NftHook.Prerouting, -100), Comment = "base" })
            .Add(new NftChain(new NftChainKey(Table(family), "filter-input")) { Base = new NftBaseChain(NftChainType.Filter, NftHook.Input, -110, DropByDefault: true) })
            .Add(new NftChain(new NftChainKey(Table(family), "route-output")) { Base = new NftBaseChain(NftChainType.Route, NftHook.Output, 5) });
        foreach (var (set, _) in Sets(family)) transaction.Add(set);
        foreach (var (set, elements) in Sets(family)) transaction.AddElements(set, elements);
        return transaction;
    }

    public static IEnumerable<NftRuleCase> Rules()
    {
        foreach (var family in new[] { NftFamily.Ip, NftFamily.Ip6, NftFamily.Inet })
            foreach (var rule in Rules(family))
                yield return new NftRuleCase(family, rule);
    }

    // What writes into packets, and what connections remember.
    private static IEnumerable<NftRule> Packets(bool isIpv6, NftExpression saddr, NftExpression daddr)
    {
        var (source, destination) = isIpv6 ? (NftField.Ip6Saddr, NftField.Ip6Daddr) : (NftField.IpSaddr, NftField.IpDaddr);
        var client = new NftConcat(NftCt.Original(source), saddr);
        var key = new NftConcat(new NftJhash(client, uint.MaxValue, 1), new NftJhash(saddr, 16, 0xabcdef));
        yield return new NftRule(new NftSetPayload(source, NftCt.Original(source)), new NftVerdictStatement(NftVerdict.Return));
        yield return new NftRule(new NftSetPayload(destination, NftCt.Original(destination)));
        yield return new NftRule(new NftSetPayload(destination, saddr));
        yield return new NftRule(new NftSetPayload(destination, new NftMapLookup(daddr, "address-map")));
        yield return new NftRule(new NftMatch(NftCt.Original(destination), NftOperator.Equal, Ip(isIpv6 ? "fd00::1" : "10.0.0.1")), new NftVerdictStatement(NftVerdict.Drop));
        yield return new NftRule(new NftDynset(NftDynsetOperation.Update, "clients", key) { Timeout = TimeSpan.FromHours(3), Data = daddr }, new NftVerdictStatement(NftVerdict.Jump("d")));
        yield return new NftRule(new NftDynset(NftDynsetOperation.Delete, "clients", key) { Data = saddr });
        yield return new NftRule(new NftSetPayload(destination, new NftMapLookup(key, "clients")), new NftDynset(NftDynsetOperation.Add, "clients", key) { Data = daddr });
    }

    private static IEnumerable<NftRule> Rules(NftFamily family)
    {
        var isIpv6 = family == NftFamily.Ip6;
        NftExpression daddr = isIpv6 ? Daddr6 : Daddr;
        NftExpression saddr = isIpv6 ? new NftPayload(NftField.Ip6Saddr) : Saddr;
        NftStatement drop = new NftVerdictStatement(NftVerdict.Drop);
        var tuple = new NftConcat(daddr, L4, Dport);
        foreach (var rule in Addresses(family, saddr, daddr)) yield return rule;
        foreach (var rule in Marks()) yield return rule;
        foreach (var rule in Nat(family, isIpv6, daddr, tuple)) yield return rule;
        foreach (var rule in Anonymous(family, isIpv6, saddr)) yield return rule;
        foreach (var verdict in new[] { NftVerdict.Accept, NftVerdict.Drop, NftVerdict.Continue, NftVerdict.Return, NftVerdict.Jump("d"), NftVerdict.Goto("d") })
            yield return new NftRule(new NftVerdictStatement(verdict)) { Comment = "a comment: with ' and /" };
        yield return new NftRule(new NftMatch(new NftMeta(NftMetaKey.Iifname), NftOperator.NotEqual, new NftConstant(NftDataType.Ifname, NftValue.Ifname("lo"))), drop);
        yield return new NftRule(new NftPrefixMatch(new NftMeta(NftMetaKey.Oifname), NftOperator.Equal, new NftConstant(NftDataType.Ifname, NftValue.Ifname("cali")), 32), drop);
        yield return new NftRule(new NftPrefixMatch(new NftMeta(NftMetaKey.Iifname), NftOperator.NotEqual, new NftConstant(NftDataType.Ifname, NftValue.Ifname("x")), 8), drop);
        yield return new NftRule(new NftMatch(new NftMeta(NftMetaKey.Iifkind), NftOperator.Equal, new NftConstant(NftDataType.Ifname, NftValue.Ifname("bridge"))), drop);
        yield return new NftRule(Tcp, new NftMatch(Dport, NftOperator.Equal, new NftConstant(NftDataType.InetService, NftValue.Port(443))), drop);
        yield return new NftRule(new NftMatch(L4, NftOperator.NotEqual, new NftConstant(NftDataType.InetProto, NftValue.Protocol(Protocol.Sctp))), new NftMatch(new NftPayload(NftField.ThSport), NftOperator.NotEqual, new NftConstant(NftDataType.InetService, NftValue.Port(9))), drop);
        yield return new NftRule(new NftBitsMatch(new NftCt(NftCtKey.State), (uint)NftCtState.New), new NftVerdictStatement(NftVerdict.Jump("d")));
        yield return new NftRule(new NftBitsMatch(new NftCt(NftCtKey.State), (uint)(NftCtState.Established | NftCtState.Related | NftCtState.Untracked)), drop);
        yield return new NftRule(new NftBitsMatch(new NftCt(NftCtKey.State), (uint)(NftCtState.Invalid | NftCtState.New), None: true), drop);
        yield return new NftRule(new NftBitsMatch(new NftCt(NftCtKey.Status), (uint)NftCtStatus.Dnat), drop);
        yield return new NftRule(new NftBitsMatch(new NftCt(NftCtKey.Status), (uint)(NftCtStatus.Dnat | NftCtStatus.Snat), None: true), drop);
        yield return new NftRule(new NftMatch(NftFib.TypeOf(NftFibAddress.Daddr), NftOperator.Equal, new NftConstant(NftDataType.FibAddrType, NftValue.Number((uint)NftAddrType.Local))), drop);
        yield return new NftRule(new NftMatch(NftFib.TypeOf(NftFibAddress.Saddr), NftOperator.NotEqual, new NftConstant(NftDataType.FibAddrType, NftValue.Number((uint)NftAddrType.Unicast))), drop);
        yield return new NftRule(new NftMatch(new NftNumgen(4), NftOperator.Equal, new NftConstant(NftDataType.Integer, NftValue.Number(0))), drop);
        yield return new NftRule(new NftSetMatch(daddr, "plain"), new NftReject()) { Comment = "Reject traffic to invalid ports of ClusterIPs" };
        yield return new NftRule(new NftSetMatch(daddr, "ranges", Negated: true), drop);
        yield return new NftRule(new NftSetMatch(tuple, "tuples"), drop);
        yield return new NftRule(new NftSetMatch(new NftConcat(daddr, Dport), "concat-ranges"), drop);
        yield return new NftRule(new NftVerdictMapStatement(tuple, "verdicts"));
        yield return new NftRule(new NftVerdictMapStatement(saddr, "range-verdicts"));
        yield return new NftRule(new NftVerdictMapStatement(new NftNumgen(4, Incremental: true), "typeof-verdicts"));
        yield return new NftRule(new NftSetMatch(NftFib.TypeOf(NftFibAddress.Daddr), "fib-types"), drop);
        yield return new NftRule(new NftReject());
        yield return new NftRule(Tcp, new NftReject(TcpReset: true));
        yield return new NftRule(new NftCounter(), new NftLog("kube-proxy: "), drop);
        yield return new NftRule(new NftLog(""));
        yield return new NftRule(new NftDynset(NftDynsetOperation.Update, "affinity", saddr), new NftVerdictStatement(NftVerdict.Accept));
        yield return new NftRule(new NftDynset(NftDynsetOperation.Add, "typeof-many", new NftConcat(new NftCt(NftCtKey.Mark), new NftMeta(NftMetaKey.Oifname), new NftCt(NftCtKey.State), Mark)));
        yield return new NftRule(new NftDynset(NftDynsetOperation.Delete, "affinity", saddr));
        yield return new NftRule(new NftDynset(NftDynsetOperation.Update, "affinity", saddr) { Timeout = TimeSpan.FromSeconds(90) });
        if (family != NftFamily.Inet) foreach (var rule in Packets(isIpv6, saddr, daddr)) yield return rule;
        if (family == NftFamily.Ip) yield return new NftRule(new NftMatch(new NftPayload(NftField.IpProtocol), NftOperator.Equal, new NftConstant(NftDataType.InetProto, new NftData([1]))), drop);
        if (isIpv6) yield return new NftRule(new NftMatch(new NftPayload(NftField.Ip6Nexthdr), NftOperator.Equal, new NftConstant(NftDataType.InetProto, new NftData([58]))), drop);
        if (family != NftFamily.Inet) yield break;
        yield return new NftRule(new NftMatch(new NftMeta(NftMetaKey.Nfproto), NftOperator.Equal, new NftConstant(NftDataType.NfProto, NftValue.Family(NftFamily.Ip6))), new NftReject());
        yield return new NftRule(new NftMatch(new NftMeta(NftMetaKey.Nfproto), NftOperator.NotEqual, new NftConstant(NftDataType.NfProto, NftValue.Family(NftFamily.Ip))), drop);
        yield return new NftRule(new NftMatch(Saddr, NftOperator.Equal, Ip("1.1.1.1")), new NftMatch(Daddr, NftOperator.Equal, Ip("2.2.2.2")), new NftReject());
        yield return new NftRule(new NftPrefixMatch(Daddr6, NftOperator.Equal, Ip("fd00::"), 8), drop);
        yield return new NftRule(Tcp, NftNat.Dnat(Ip("fd00::1"), 80, false, isIPv6: true));
    }

    private static IEnumerable<NftRule> Addresses(NftFamily family, NftExpression saddr, NftExpression daddr)
    {
        NftStatement drop = new NftVerdictStatement(NftVerdict.Drop);
        var isIpv6 = family == NftFamily.Ip6;
        yield return new NftRule(new NftMatch(saddr, NftOperator.Equal, Ip(isIpv6 ? "fd00::1" : "10.0.0.1")), drop);
        yield return new NftRule(new NftMatch(daddr, NftOperator.NotEqual, Ip(isIpv6 ? "::1" : "127.0.0.1")), drop);
        foreach (var bits in isIpv6 ? new[] { 8, 48, 7, 57, 120, 127 } : [8, 16, 24, 12, 31, 1])
            foreach (var @operator in new[] { NftOperator.Equal, NftOperator.NotEqual })
                yield return new NftRule(new NftPrefixMatch(daddr, @operator, Masked(Ip(isIpv6 ? "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "250.255.255.255"), bits), bits), drop);
    }

    private static NftConstant Masked(NftConstant address, int bits) =>
        new(address.Type, NftValue.Address(new Cidr(IpAddr.FromBytes(address.Value.Span), bits).First));

    private static IEnumerable<NftRule> Marks()
    {
        NftStatement drop = new NftVerdictStatement(NftVerdict.Drop);
        var ctMark = new NftCt(NftCtKey.Mark);
        yield return new NftRule(new NftBitsMatch(Mark, 0x4000), new NftSetMeta(NftMetaKey.Mark, new NftBitwise(Mark, uint.MaxValue, 0x4000)), NftNat.Masquerade(NftNatFlags.FullyRandom));
        yield return new NftRule(new NftBitsMatch(Mark, 0x4000, None: true), drop);
        yield return new NftRule(new NftBitsMatch(ctMark, 0x10), drop);
        yield return new NftRule(new NftMatch(Mark, NftOperator.Equal, new NftConstant(NftDataType.Mark, NftValue.Number(5))), drop);
        yield return new NftRule(new NftMatch(ctMark, NftOperator.NotEqual, new NftConstant(NftDataType.Mark, NftValue.Number(7))), drop);
        yield return new NftRule(new NftMatch(new NftBitwise(Mark, 0xFF, 0), NftOperator.Equal, new NftConstant(NftDataType.Mark, NftValue.Number(5))), drop);
        yield return new NftRule(new NftSetMeta(NftMetaKey.Mark, new NftBitwise(Mark, ~0x4000u, 0x4000)));
        yield return new NftRule(new NftSetMeta(NftMetaKey.Mark, new NftBitwise(Mark, ~0x4000u, 0)));
        yield return new NftRule(new NftSetMeta(NftMetaKey.Mark, new NftBitwise(ctMark, 0xFF, 0x300)));
        yield return new NftRule(new NftSetMeta(NftMetaKey.Mark, new NftConstant(NftDataType.Mark, NftValue.Number(0x4000))));
        yield return new NftRule(new NftSetMeta(NftMetaKey.Mark, ctMark));
        yield return new NftRule(new NftSetCt(NftCtKey.Mark, new NftBitwise(ctMark, ~0x4000u, 0x4000)));
        yield return new NftRule(new NftSetCt(NftCtKey.Mark, new NftConstant(NftDataType.Mark, NftValue.Number(0x4000))));
        yield return new NftRule(new NftSetCt(NftCtKey.Mark, Mark));
    }

    private static IEnumerable<NftRule> Nat(NftFamily family, bool isIpv6, NftExpression daddr, NftConcat tuple)
    {
        var target = Ip(isIpv6 ? "fd00::1" : "10.0.0.1");
        yield return new NftRule(NftNat.Dnat(target, null, false, isIpv6));
        yield return new NftRule(Tcp, NftNat.Dnat(target, 8080, false, isIpv6));
        yield return new NftRule(NftNat.Dnat(new NftMapLookup(new NftConcat([.. tuple.Parts, new NftNumgen(2)]), "endpoints"), null, true, isIpv6));
        yield return new NftRule(NftNat.Dnat(new NftMapLookup(daddr, "address-map"), null, false, isIpv6));
        // Of a table for both families nft makes another rule: it always adds a match of the family.
        if (family != NftFamily.Inet) yield return new NftRule(Tcp, new NftTproxy(target, 1080));
        yield return new NftRule(Tcp, new NftMatch(new NftSocket(NftSocketKey.Transparent), NftOperator.Equal, new NftConstant(NftDataType.Integer, new NftData([1]))), new NftVerdictStatement(NftVerdict.Accept));
        yield return new NftRule(NftNat.Masquerade());
        yield return new NftRule(Tcp, NftNat.Redirect(new NftConstant(NftDataType.InetService, NftValue.Port(8080))));
        yield return new NftRule(Tcp, NftNat.Redirect(new NftMapLookup(new NftMeta(NftMetaKey.Iifname), "ports")));
        yield return new NftRule(new NftSetMeta(NftMetaKey.Mark, new NftMapLookup(daddr, "marks")));
        if (family == NftFamily.Inet) yield break;
        yield return new NftRule(
            Tcp,
            NftNat.Dnat(new NftMapLookup(new NftConcat(daddr, Dport), "typed-map"), null, true, isIpv6));
    }

    private static IEnumerable<NftRule> Anonymous(NftFamily family, bool isIpv6, NftExpression saddr)
    {
        NftStatement drop = new NftVerdictStatement(NftVerdict.Drop);
        NftData A(int n) => Bytes(isIpv6 ? $"fd00::{n:x}" : $"10.0.0.{n}");
        var tcp = NftValue.Protocol(Protocol.Tcp);
        var address = isIpv6 ? NftDataType.Ipv6Addr : NftDataType.Ipv4Addr;
        yield return new NftRule(new NftAnonymousSetMatch(saddr, new NftElements(new NftElement { Key = A(2) }, new NftElement { Key = A(1) })), drop);
        yield return new NftRule(
            new NftAnonymousSetMatch(
                saddr,
                new NftElements(new NftElement { Key = A(0), KeyEnd = A(7) }, new NftElement { Key = A(16), KeyEnd = A(17) }),
                Negated: true),
            drop);
        yield return new NftRule(
            new NftAnonymousSetMatch(new NftConcat(L4, Dport), new NftElements(new NftElement { Key = NftValue.Concat(tcp, NftValue.Port(80)) })), drop);
        yield return new NftRule(
            new NftAnonymousVerdictMap(
                new NftConcat(saddr, Dport),
                new NftElements(
                    new NftElement { Key = NftValue.Concat(A(1), NftValue.Port(80)), Verdict = NftVerdict.Jump("d") },
                    new NftElement { Key = NftValue.Concat(A(2), NftValue.Port(80)), Verdict = NftVerdict.Drop })));
        yield return new NftRule(
            new NftAnonymousVerdictMap(
                new NftNumgen(2),
                new NftElements(
                    new NftElement { Key = NftValue.Number(0), Verdict = NftVerdict.Goto("d") },
                    new NftElement { Key = NftValue.Number(1), Verdict = NftVerdict.Drop })));
        yield return new NftRule(
            Tcp,
            NftNat.Dnat(
                new NftAnonymousMapLookup(
                    new NftNumgen(2),
                    new NftTypes(address, NftDataType.InetService),
                    new NftElements(
                        new NftElement { Key = NftValue.Number(0), Data = NftValue.Concat(A(1), NftValue.Port(80)) },
                        new NftElement { Key = NftValue.Number(1), Data = NftValue.Concat(A(2), NftValue.Port(80)) })),
                null,
                targetHasPort: true,
                isIpv6));
    }
}
