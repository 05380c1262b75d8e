using T = KubeProxy.Netfilter.Nftables.NftDataType;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>What nft calls a key, and what its value is.</summary>
internal sealed record NftKeyRow(string Text, NftFormat Format);

/// <summary>The keys of meta, ct, rt, socket and ipsec: one row each, for decoder, encoder, text and check.</summary>
internal static class NftKeyTable
{
    private static readonly Dictionary<NftMetaKey, NftKeyRow> MetaKeys = new()
    {
        [NftMetaKey.Length] = Row("meta length", T.Integer),
        [NftMetaKey.Protocol] = Row("meta protocol", T.EtherType),
        [NftMetaKey.Priority] = Row("meta priority", T.ClassId),
        [NftMetaKey.Mark] = Row("meta mark", T.Mark),
        [NftMetaKey.Iif] = Row("iif", T.IfIndex),
        [NftMetaKey.Oif] = Row("oif", T.IfIndex),
        [NftMetaKey.Iifname] = Row("iifname", T.Ifname),
        [NftMetaKey.Oifname] = Row("oifname", T.Ifname),
        [NftMetaKey.Iiftype] = Row("meta iiftype", T.IfType),
        [NftMetaKey.Oiftype] = Row("meta oiftype", T.IfType),
        [NftMetaKey.Skuid] = Row("meta skuid", T.Uid),
        [NftMetaKey.Skgid] = Row("meta skgid", T.Gid),
        [NftMetaKey.Nftrace] = Row("meta nftrace", T.Integer, 8),
        [NftMetaKey.Rtclassid] = Row("meta rtclassid", T.Realm),
        [NftMetaKey.Secmark] = Row("meta secmark", T.Integer),
        [NftMetaKey.Nfproto] = Row("meta nfproto", T.NfProto),
        [NftMetaKey.L4proto] = Row("meta l4proto", T.InetProto),
        [NftMetaKey.BridgeIifname] = Row("meta ibrname", T.Ifname),
        [NftMetaKey.BridgeOifname] = Row("meta obrname", T.Ifname),
        [NftMetaKey.Pkttype] = Row("meta pkttype", T.PktType),
        [NftMetaKey.Cpu] = Row("meta cpu", T.Integer),
        [NftMetaKey.Iifgroup] = Row("iifgroup", T.DevGroup),
        [NftMetaKey.Oifgroup] = Row("oifgroup", T.DevGroup),
        [NftMetaKey.Cgroup] = Row("meta cgroup", T.Integer),
        [NftMetaKey.Random] = Row("meta random", T.Integer, 32, NftByteOrder.Big), // as nft has it, whatever the kernel does
        [NftMetaKey.Secpath] = Row("meta ipsec", T.Boolean, 8),
        [NftMetaKey.Iifkind] = Row("meta iifkind", T.Ifname),
        [NftMetaKey.Oifkind] = Row("meta oifkind", T.Ifname),
        [NftMetaKey.BridgeIifpvid] = Row("meta ibrpvid", T.Integer, 16),
        [NftMetaKey.BridgeIifvproto] = Row("meta ibrvproto", T.EtherType),
        [NftMetaKey.Time] = Row("meta time", T.Date),
        [NftMetaKey.Day] = Row("meta day", T.Day),
        [NftMetaKey.Hour] = Row("meta hour", T.Hour),
        [NftMetaKey.Sdif] = Row("meta sdif", T.IfIndex),
        [NftMetaKey.Sdifname] = Row("meta sdifname", T.Ifname),
    };

    private static readonly Dictionary<NftCtKey, NftKeyRow> CtKeys = new()
    {
        [NftCtKey.State] = Row("state", T.CtState),
        [NftCtKey.Direction] = Row("direction", T.CtDir),
        [NftCtKey.Status] = Row("status", T.CtStatus),
        [NftCtKey.Mark] = Row("mark", T.Mark),
        [NftCtKey.Secmark] = Row("secmark", T.Integer),
        [NftCtKey.Expiration] = Row("expiration", T.Time, 32),
        [NftCtKey.Helper] = Row("helper", T.String, 128),
        [NftCtKey.L3protocol] = Row("l3proto", T.NfProto),
        [NftCtKey.Protocol] = Row("protocol", T.InetProto),
        [NftCtKey.ProtoSrc] = Row("proto-src", T.InetService),
        [NftCtKey.ProtoDst] = Row("proto-dst", T.InetService),
        [NftCtKey.Labels] = Row("label", T.CtLabel),
        [NftCtKey.Packets] = Row("packets", T.Integer, 64),
        [NftCtKey.Bytes] = Row("bytes", T.Integer, 64),
        [NftCtKey.AveragePacket] = Row("avgpkt", T.Integer, 64),
        [NftCtKey.Zone] = Row("zone", T.Integer, 16),
        [NftCtKey.EventMask] = Row("event", T.CtEvent),
        [NftCtKey.SrcIp] = Row("ip saddr", T.Ipv4Addr),
        [NftCtKey.DstIp] = Row("ip daddr", T.Ipv4Addr),
        [NftCtKey.SrcIp6] = Row("ip6 saddr", T.Ipv6Addr),
        [NftCtKey.DstIp6] = Row("ip6 daddr", T.Ipv6Addr),
        [NftCtKey.Id] = Row("id", T.Integer, 32, NftByteOrder.Big),
    };

    private static readonly Dictionary<NftRtKey, NftKeyRow> RtKeys = new()
    {
        [NftRtKey.ClassId] = Row("rt classid", T.Realm),
        [NftRtKey.NextHop4] = Row("rt ip nexthop", T.Ipv4Addr),
        [NftRtKey.NextHop6] = Row("rt ip6 nexthop", T.Ipv6Addr),
        [NftRtKey.Mtu] = Row("rt mtu", T.Integer, 16),
        [NftRtKey.Ipsec] = Row("rt ipsec", T.Boolean, 8),
    };

    private static readonly Dictionary<NftSocketKey, NftKeyRow> SocketKeys = new()
    {
        [NftSocketKey.Transparent] = Row("socket transparent", T.Integer, 8),
        [NftSocketKey.Mark] = Row("socket mark", T.Mark),
        [NftSocketKey.Wildcard] = Row("socket wildcard", T.Integer, 8),
        [NftSocketKey.CgroupV2] = Row("socket cgroupv2", T.CgroupV2),
    };

    private static readonly Dictionary<NftIpsecKey, NftKeyRow> IpsecKeys = new()
    {
        [NftIpsecKey.Daddr4] = Row("ip daddr", T.Ipv4Addr),
        [NftIpsecKey.Daddr6] = Row("ip6 daddr", T.Ipv6Addr),
        [NftIpsecKey.Saddr4] = Row("ip saddr", T.Ipv4Addr),
        [NftIpsecKey.Saddr6] = Row("ip6 saddr", T.Ipv6Addr),
        [NftIpsecKey.Reqid] = Row("reqid", T.Integer),
        [NftIpsecKey.Spi] = Row("spi", T.Integer, 32, NftByteOrder.Big),
    };

    public static NftKeyRow Meta(NftMetaKey key) => Find(MetaKeys, key);

    public static NftKeyRow Ct(NftCtKey key) => Find(CtKeys, key);

    public static NftKeyRow Rt(NftRtKey key) => Find(RtKeys, key);

    public static NftKeyRow Socket(NftSocketKey key) => Find(SocketKeys, key);

    public static NftKeyRow Ipsec(NftIpsecKey key) => Find(IpsecKeys, key);

    public static bool Has(NftMetaKey key) => MetaKeys.ContainsKey(key);

    public static bool Has(NftCtKey key) => CtKeys.ContainsKey(key);

    public static bool Has(NftRtKey key) => RtKeys.ContainsKey(key);

    public static bool Has(NftSocketKey key) => SocketKeys.ContainsKey(key);

    public static bool Has(NftIpsecKey key) => IpsecKeys.ContainsKey(key);

    private static NftKeyRow Find<TKey>(Dictionary<TKey, NftKeyRow> rows, TKey key) where TKey : struct, Enum =>
        rows.TryGetValue(key, out var row) ? row : throw new ArgumentOutOfRangeException(nameof(key), key, "Not a key that this library knows.");

    private static NftKeyRow Row(string text, T type, int? bits = null, NftByteOrder? order = null)
    {
        var format = NftFormat.Of(type);
        return new NftKeyRow(text, format with { Bits = bits ?? format.Bits, Order = order ?? format.Order });
    }
}
