using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Tests.Nftables;

/// <summary>Statements of the language beyond those that the backends use, and what nft prints for them.</summary>
internal static class NftLanguage
{
    private static readonly NftExpression Mark = new NftMeta(NftMetaKey.Mark);
    private static readonly NftExpression Saddr = new NftPayload(NftField.IpSaddr);

    public static IEnumerable<(NftStatement Statement, string Text)> Statements() =>
    [
        (Match(new NftPayload(NftField.Find("ip dscp")!), NftOperator.Equal, [0x0a]), "ip dscp af11"),
        (Match(new NftPayload(NftField.Find("ip ttl")!), NftOperator.Less, [64]), "ip ttl < 64"),
        (Match(new NftPayload(NftField.Find("ip6 flowlabel")!), NftOperator.NotEqual, [0, 1, 2]), "ip6 flowlabel != 258"),
        (Match(new NftRawPayload(NftPayloadBase.Network, 64, 16), NftOperator.Equal, [1, 2]), "@nh,64,16 0x102"),
        (Match(new NftExtension(NftExtensionKind.Ipv6Header, 44, 16, 13), NftOperator.Equal, [0, 33]), "frag frag-off 33"),
        (Match(new NftExtension(NftExtensionKind.TcpOption, 2, 16, 16), NftOperator.Greater, [5, 0]), "tcp option maxseg size > 1280"),
        (Match(new NftExtension(NftExtensionKind.IpOption, 7, 0, 8, IsPresence: true), NftOperator.Equal, [1]), "ip option rr exists"),
        (Match(new NftExtension(NftExtensionKind.SctpChunk, 1, 0, 8, IsPresence: true), NftOperator.Equal, [0]), "sctp chunk init missing"),
        (Match(new NftRt(NftRtKey.NextHop4), NftOperator.Equal, [10, 0, 0, 1]), "rt ip nexthop 10.0.0.1"),
        (Match(new NftSocket(NftSocketKey.Mark), NftOperator.Equal, NftValue.Number(5).Span), "socket mark 0x00000005"),
        (Match(new NftOsf(1), NftOperator.Equal, "Linux\0\0\0\0\0\0\0\0\0\0\0"u8), "osf ttl loose name \"Linux\""),
        (Match(new NftIpsec(NftIpsecKey.Reqid, IsOut: true, 2), NftOperator.Equal, NftValue.Number(7).Span), "ipsec out spnum 2 reqid 7"),
        (Match(new NftFib(NftFibResult.Oif, NftFibFlags.Saddr | NftFibFlags.Iif | NftFibFlags.Present), NftOperator.Equal, NftValue.Number(0).Span), "fib saddr . iif oif missing"),
        (Match(new NftCt(NftCtKey.Packets, NftCtDirection.Reply), NftOperator.LessOrEqual, [100, 0, 0, 0, 0, 0, 0, 0]), "ct reply packets <= 100"),
        (new NftRangeMatch(new NftMeta(NftMetaKey.Length), Constant(NftDataType.Integer, NftValue.Number(64).Span), Constant(NftDataType.Integer, NftValue.Number(1500).Span), Negated: true), "meta length != 64-1500"),
        (new NftBitsMatch(new NftPayload(NftField.TcpFlags), 0x12, None: true), "tcp flags ! syn,ack"),
        (new NftMatch(new NftBitwise(new NftPayload(NftField.TcpFlags), new NftData([0x17]), new NftData([0])), NftOperator.Equal, Constant(NftDataType.TcpFlag, [2])), "tcp flags syn / fin,syn,rst,ack"),
        (new NftAnonymousSetMatch(new NftNetworkOrder(Mark), new NftElements(new NftElement { Key = new NftData([0, 0, 0, 1]), KeyEnd = new NftData([0, 0, 1, 0]) })), "meta mark { 0x00000001-0x00000100 }"),
        (new NftSetMeta(NftMetaKey.Mark, new NftShift(new NftBitwise(Mark, ~0x10u, 0x10), IsLeft: true, 8)), "meta mark set (meta mark | 0x00000010) << 8"),
        (new NftSetMeta(NftMetaKey.Mark, new NftSymhash(4, 1)), "meta mark set symhash mod 4 offset 1"),
        (new NftSetCt(NftCtKey.Zone, Constant(NftDataType.Integer, [7, 0]), NftCtDirection.Original), "ct original zone set 7"),
        (new NftSetPayload(NftField.Find("ip ttl")!, Constant(NftDataType.Integer, [1])), "ip ttl set 1"),
        (new NftSetExtension(new NftExtension(NftExtensionKind.TcpOption, 2, 16, 16), new NftNetworkOrder(new NftRt(NftRtKey.Mtu))), "tcp option maxseg size set rt mtu"),
        (new NftResetTcpOption(4), "reset tcp option sack-perm"),
        (new NftNotrack(), "notrack"),
        (new NftFlowOffload("f"), "flow add @f"),
        (new NftQueue(1, 4, NftQueueFlags.Bypass | NftQueueFlags.Fanout), "queue flags bypass,fanout to 1-4"),
        (new NftDup(Constant(NftDataType.Ipv4Addr, [10, 0, 0, 1]), Constant(NftDataType.IfIndex, NftValue.Number(1).Span)), "dup to 10.0.0.1 device \"lo\""),
        (new NftForward(Constant(NftDataType.IfIndex, NftValue.Number(1).Span)), "fwd to \"lo\""),
        (new NftSynproxy(1460, 7, 0xF), "synproxy mss 1460 wscale 7 timestamp sack-perm"),
        (new NftObjectReference(NftObjectKind.CtHelper, "h"), "ct helper set \"h\""),
        (new NftObjectMapStatement(NftObjectKind.Counter, Saddr, "m"), "counter name ip saddr map @m"),
        (new NftLimit(10, 60, 20, Over: true), "limit rate over 10/minute burst 20 packets"),
        (new NftLimit(1024 * 1024, IsBytes: true), "limit rate 1 mbytes/second burst 5 bytes"),
        (new NftQuota(1024, Over: true) { Used = 3 }, "quota over 1 kbytes used 3 bytes"),
        (new NftConnectionLimit(20, Over: true), "ct count over 20"),
        (new NftLast { Used = TimeSpan.FromSeconds(61) }, "last used 1m1s"),
        (new NftDynset(NftDynsetOperation.Add, "s", Saddr) { Statements = [new NftLimit(1), new NftCounter()], Timeout = TimeSpan.FromMinutes(1) }, "add @s { ip saddr timeout 1m limit rate 1/second counter }"),
        (new NftReject { With = new NftRejectCode(true, 3) }, "reject with icmpx admin-prohibited"),
        (new NftLog("x") { Group = 2, SnapLength = 64 }, "log prefix \"x\" group 2 snaplen 64"),
        (new NftLog("") { Level = 7, Flags = NftLogFlags.TcpOptions | NftLogFlags.Ether }, "log level debug flags tcp options flags ether"),
        (new NftNat(NftNatKind.Snat, NftFamily.Ip) { Address = Constant(NftDataType.Ipv4Addr, [10, 0, 0, 1]), AddressTo = Constant(NftDataType.Ipv4Addr, [10, 0, 0, 9]), Flags = NftNatFlags.Random | NftNatFlags.Persistent }, "snat to 10.0.0.1-10.0.0.9 random,persistent"),
        (NftNat.Redirect(Constant(NftDataType.InetService, [0, 80])) with { PortTo = Constant(NftDataType.InetService, [0, 90]) }, "redirect to :80-90"),
    ];

    private static NftMatch Match(NftExpression left, NftOperator @operator, ReadOnlySpan<byte> right) =>
        new(left, @operator, Constant(left.TypesOf()[0], right));

    private static NftConstant Constant(NftDataType type, ReadOnlySpan<byte> value) => new(type, new NftData(value));
}
