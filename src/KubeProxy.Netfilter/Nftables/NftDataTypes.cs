using System.Collections.Frozen;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>The byte order of a type in a register, as nft keeps it in the user data of a set (its <c>enum byteorder</c>).</summary>
internal enum NftByteOrder : uint
{
    Unspecified = 0,
    Host = 1,
    Big = 2,
}

/// <summary>Properties of <see cref="NftDataType"/> values.</summary>
public static class NftDataTypes
{
    /// <summary>The most parts of a concatenation: so many types of six bits fit into the number that nft gives their combination.</summary>
    public const int MaxConcatenation = 5;

    private const NftByteOrder Any = NftByteOrder.Unspecified;
    private const NftByteOrder Host = NftByteOrder.Host;
    private const NftByteOrder Big = NftByteOrder.Big;

    // Bits are 0 where the type has none of its own.
    private static readonly FrozenDictionary<NftDataType, Row> Table = new Dictionary<NftDataType, Row>
    {
        [NftDataType.Verdict] = new("verdict", 0, Any),
        [NftDataType.NfProto] = new("nf_proto", 8, Any),
        [NftDataType.Bitmask] = new("bitmask", 0, Host),
        [NftDataType.Integer] = new("integer", 32, Host),
        [NftDataType.String] = new("string", 0, Host),
        [NftDataType.LlAddr] = new("ll_addr", 0, Big),
        [NftDataType.Ipv4Addr] = new("ipv4_addr", 32, Big),
        [NftDataType.Ipv6Addr] = new("ipv6_addr", 128, Big),
        [NftDataType.EtherAddr] = new("ether_addr", 48, Big),
        [NftDataType.EtherType] = new("ether_type", 16, Big),
        [NftDataType.ArpOp] = new("arp_op", 16, Big),
        [NftDataType.InetProto] = new("inet_proto", 8, Any),
        [NftDataType.InetService] = new("inet_service", 16, Big),
        [NftDataType.IcmpType] = new("icmp_type", 8, Big),
        [NftDataType.TcpFlag] = new("tcp_flag", 8, Any),
        [NftDataType.DccpPktType] = new("dccp_pkttype", 4, Big),
        [NftDataType.MhType] = new("mh_type", 8, Any),
        [NftDataType.Time] = new("time", 64, Host),
        [NftDataType.Mark] = new("mark", 32, Host),
        [NftDataType.IfIndex] = new("iface_index", 32, Host),
        [NftDataType.IfType] = new("iface_type", 16, Host),
        [NftDataType.Realm] = new("realm", 32, Host),
        [NftDataType.ClassId] = new("classid", 32, Host),
        [NftDataType.Uid] = new("uid", 32, Host),
        [NftDataType.Gid] = new("gid", 32, Host),
        [NftDataType.CtState] = new("ct_state", 32, Host),
        [NftDataType.CtDir] = new("ct_dir", 8, Host),
        [NftDataType.CtStatus] = new("ct_status", 32, Host),
        [NftDataType.Icmp6Type] = new("icmpv6_type", 8, Big),
        [NftDataType.CtLabel] = new("ct_label", 128, Host),
        [NftDataType.PktType] = new("pkt_type", 8, Host),
        [NftDataType.IcmpCode] = new("icmp_code", 8, Big),
        [NftDataType.Icmpv6Code] = new("icmpv6_code", 8, Big),
        [NftDataType.IcmpxCode] = new("icmpx_code", 8, Big),
        [NftDataType.DevGroup] = new("devgroup", 32, Host),
        [NftDataType.Dscp] = new("dscp", 6, Big),
        [NftDataType.Ecn] = new("ecn", 2, Big),
        [NftDataType.FibAddrType] = new("fib_addrtype", 32, Host),
        [NftDataType.Boolean] = new("boolean", 1, Host),
        [NftDataType.CtEvent] = new("ct_event", 32, Host),
        [NftDataType.Ifname] = new("ifname", 128, Host),
        [NftDataType.IgmpType] = new("igmp_type", 8, Big),
        [NftDataType.Date] = new("time", 64, Host),
        [NftDataType.Hour] = new("hour", 32, Host),
        [NftDataType.Day] = new("day", 8, Host),
        [NftDataType.CgroupV2] = new("cgroupsv2", 64, Host),
    }.ToFrozenDictionary();

    /// <summary>The length of a value in bytes; 4 for <see cref="NftDataType.Integer"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The type is none of <see cref="NftDataType"/>, or has no length of its own.</exception>
    public static int ByteLength(this NftDataType type) => TryByteLength(type)
        ?? throw new ArgumentOutOfRangeException(nameof(type), type, "Not a data type that this library knows, or one without a length.");

    /// <summary>The length of a value of this type in bytes: that of one part as it is, that of a concatenation padded.</summary>
    public static int ByteLength(ReadOnlySpan<NftDataType> parts)
    {
        if (parts.Length == 1) return parts[0].ByteLength();
        var length = 0;
        foreach (var part in parts) length += Padded(part.ByteLength());
        return length;
    }

    /// <summary>The name that nft has for the type, for example <c>ipv4_addr</c>.</summary>
    public static string NftName(this NftDataType type) => Table.TryGetValue(type, out var row)
        ? row.Name : "type" + ((uint)type).ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The length of a part of a concatenation: whole 4-byte registers.</summary>
    internal static int Padded(int length) => (length + 3) & ~3;

    internal static int? TryByteLength(NftDataType type) => Table.TryGetValue(type, out var row) && row.Bits > 0 ? (row.Bits + 7) / 8 : (int?)null;

    internal static int? TryBitLength(NftDataType type) => Table.TryGetValue(type, out var row) && row.Bits > 0 ? row.Bits : (int?)null;

    internal static NftByteOrder ByteOrder(NftDataType type) => Table.TryGetValue(type, out var row) ? row.Order : NftByteOrder.Host;

    /// <summary>Whether values are numbers in host order (of more than one byte).</summary>
    internal static bool IsHostOrder(this NftDataType type) =>
        ByteOrder(type) == NftByteOrder.Host && TryByteLength(type) is > 1 && !type.IsText();

    /// <summary>Whether values are texts, padded with zeros.</summary>
    internal static bool IsText(this NftDataType type) => type is NftDataType.Ifname or NftDataType.String;

    /// <summary>Whether values are sets of named bits: a plain mention means any of them.</summary>
    internal static bool IsBits(this NftDataType type) => type is NftDataType.TcpFlag or NftDataType.CtState
        or NftDataType.CtStatus or NftDataType.CtLabel or NftDataType.CtEvent;

    private sealed record Row(string Name, int Bits, NftByteOrder Order);
}

/// <summary>What is known of a value where it stands: its type, and the length and byte order that it has there.</summary>
internal readonly record struct NftFormat(NftDataType Type, int Bits, NftByteOrder Order)
{
    public int Bytes => (Bits + 7) / 8;

    /// <summary>Whether the bytes must be turned round to be in network order.</summary>
    public bool IsSwapped => Order == NftByteOrder.Host && Bits > 8 && !Type.IsText();

    public static NftFormat Of(NftDataType type) => new(type, NftDataTypes.TryBitLength(type) ?? 0, NftDataTypes.ByteOrder(type));

    /// <summary>As it is kept in sets of ranges, which the kernel orders as bytes.</summary>
    public NftFormat InNetworkOrder => IsSwapped ? this with { Order = NftByteOrder.Big } : this;
}
