using T = KubeProxy.Netfilter.Nftables.NftDataType;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>The headers that this library knows: offsets and lengths in bits, as the RFCs have them; the order is nft's.</summary>
internal static class NftHeaders
{
    public const ushort EtherTypeIp = 0x0800;
    public const ushort EtherTypeArp = 0x0806;
    public const ushort EtherTypeVlan = 0x8100;
    public const ushort EtherTypeIp6 = 0x86DD;
    public const ushort Icmp = 1;
    public const ushort Tcp = 6;
    public const ushort Icmpv6 = 58;

    private const int EtherLength = 14;

    public static readonly NftHeader[] All =
    [
        new("ah", NftPayloadBase.Transport, 1, 51, F("nexthdr", 0, 8, T.InetProto), F("hdrlength", 8, 8), F("reserved", 16, 16), F("spi", 32, 32), F("sequence", 64, 32)),
        new("esp", NftPayloadBase.Transport, 2, 50, F("spi", 0, 32), F("sequence", 32, 32)),
        new("comp", NftPayloadBase.Transport, 3, 108, F("nexthdr", 0, 8, T.InetProto), F("flags", 8, 8, T.Bitmask), F("cpi", 16, 16)),
        new("icmp", NftPayloadBase.Transport, 4, Icmp, F("type", 0, 8, T.IcmpType), F("code", 8, 8, T.IcmpCode), F("checksum", 16, 16),
            F("id", 32, 16, icmpType: 8), F("sequence", 48, 16, icmpType: 8), F("gateway", 32, 32, icmpType: 5), F("mtu", 48, 16, icmpType: 3)),
        new("igmp", NftPayloadBase.Transport, 5, 2, F("type", 0, 8, T.IgmpType), F("checksum", 16, 16), F("mrt", 8, 8), F("group", 32, 32)),
        new("udp", NftPayloadBase.Transport, 6, 17, F("sport", 0, 16, T.InetService), F("dport", 16, 16, T.InetService), F("length", 32, 16), F("checksum", 48, 16)),
        new("udplite", NftPayloadBase.Transport, 7, 136, F("sport", 0, 16, T.InetService), F("dport", 16, 16, T.InetService), F("csumcov", 32, 16), F("checksum", 48, 16)),
        new("tcp", NftPayloadBase.Transport, 8, Tcp, F("sport", 0, 16, T.InetService), F("dport", 16, 16, T.InetService), F("sequence", 32, 32), F("ackseq", 64, 32),
            F("doff", 96, 4), F("reserved", 100, 4), F("flags", 104, 8, T.TcpFlag), F("window", 112, 16), F("checksum", 128, 16), F("urgptr", 144, 16)),
        new("dccp", NftPayloadBase.Transport, 9, 33, F("sport", 0, 16, T.InetService), F("dport", 16, 16, T.InetService), F("type", 67, 4, T.DccpPktType)),
        new("sctp", NftPayloadBase.Transport, 10, 132, F("sport", 0, 16, T.InetService), F("dport", 16, 16, T.InetService), F("vtag", 32, 32), F("checksum", 64, 32)),
        new("th", NftPayloadBase.Transport, 11, null, F("sport", 0, 16, T.InetService), F("dport", 16, 16, T.InetService)),
        new("ip", NftPayloadBase.Network, 12, EtherTypeIp, F("version", 0, 4), F("hdrlength", 4, 4), F("dscp", 8, 6, T.Dscp), F("ecn", 14, 2, T.Ecn), F("length", 16, 16),
            F("id", 32, 16), F("frag-off", 48, 16), F("ttl", 64, 8), F("protocol", 72, 8, T.InetProto), F("checksum", 80, 16), F("saddr", 96, 32, T.Ipv4Addr), F("daddr", 128, 32, T.Ipv4Addr)),
        new("ip6", NftPayloadBase.Network, 13, EtherTypeIp6, F("version", 0, 4), F("dscp", 4, 6, T.Dscp), F("ecn", 10, 2, T.Ecn), F("flowlabel", 12, 20), F("length", 32, 16),
            F("nexthdr", 48, 8, T.InetProto), F("hoplimit", 56, 8), F("saddr", 64, 128, T.Ipv6Addr), F("daddr", 192, 128, T.Ipv6Addr)),
        new("icmpv6", NftPayloadBase.Transport, 14, Icmpv6, F("type", 0, 8, T.Icmp6Type), F("code", 8, 8, T.Icmpv6Code), F("checksum", 16, 16),
            F("parameter-problem", 32, 32, icmpType: 4), F("mtu", 32, 32, icmpType: 2), F("id", 32, 16, icmpType: 128), F("sequence", 48, 16, icmpType: 128), F("max-delay", 32, 16, icmpType: 130)),
        new("arp", NftPayloadBase.Network, 15, EtherTypeArp, F("htype", 0, 16), F("ptype", 16, 16, T.EtherType), F("hlen", 32, 8), F("plen", 40, 8), F("operation", 48, 16, T.ArpOp),
            F("saddr ether", 64, 48, T.EtherAddr), F("saddr ip", 112, 32, T.Ipv4Addr), F("daddr ether", 144, 48, T.EtherAddr), F("daddr ip", 192, 32, T.Ipv4Addr)),
        new("vlan", NftPayloadBase.Link, 16, EtherTypeVlan, F("pcp", 0, 3), F("dei", 3, 1), F("cfi", 3, 1), F("id", 4, 12), F("type", 16, 16, T.EtherType)),
        new("ether", NftPayloadBase.Link, 17, null, F("daddr", 0, 48, T.EtherAddr), F("saddr", 48, 48, T.EtherAddr), F("type", 96, 16, T.EtherType)),
    ];

    public static readonly NftField[] Fields = [.. All.SelectMany(header => header.Fields)];

    public static NftField Get(string text) => Array.Find(Fields, field => field.ToString() == text)!;

    public static NftHeader Th { get; } = Named("th");

    public static NftHeader Ether { get; } = Named("ether");

    public static NftHeader Vlan { get; } = Named("vlan");

    /// <summary>The family that an EtherType stands for; null for none.</summary>
    public static NftFamily? FamilyOf(ushort? etherType) => etherType switch
    {
        EtherTypeIp => NftFamily.Ip,
        EtherTypeIp6 => NftFamily.Ip6,
        EtherTypeArp => NftFamily.Arp,
        _ => null,
    };

    /// <summary>The EtherType of a family's packets; null for families that are of none.</summary>
    public static ushort? EtherTypeOf(NftFamily? family) => family switch
    {
        NftFamily.Ip => EtherTypeIp,
        NftFamily.Ip6 => EtherTypeIp6,
        NftFamily.Arp => EtherTypeArp,
        _ => null,
    };

    /// <summary>The header that a protocol number, or an EtherType, announces; null when it is not known.</summary>
    public static NftHeader? Find(NftPayloadBase @base, ushort selector) =>
        Array.Find(All, header => header.Base == @base && header.Selector == selector);

    /// <summary>The field that nft numbers so in typeof user data (from 1 on).</summary>
    public static NftField? Find(uint typeofId, uint number)
    {
        var header = Array.Find(All, header => header.TypeofId == typeofId);
        return header is not null && number >= 1 && number <= header.Fields.Length ? header.Fields[number - 1] : null;
    }

    public static uint NumberOf(NftField field) => (uint)Array.IndexOf(field.Owner.Fields, field) + 1;

    /// <summary>Where a header begins, in bytes from its base: a VLAN tag's fields follow the Ethernet header.</summary>
    public static int Start(NftHeader header) => header.Selector == EtherTypeVlan && header.Base == NftPayloadBase.Link ? EtherLength : 0;

    private static NftHeader Named(string name) => Array.Find(All, header => header.Name == name)!;

    private static NftField F(string name, int bitOffset, int bitLength, T type = T.Integer, int? icmpType = null) =>
        new(name, bitOffset, bitLength, type, icmpType);
}
