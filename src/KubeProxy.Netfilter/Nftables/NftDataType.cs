namespace KubeProxy.Netfilter.Nftables;

/// <summary>
/// A data type as nft names it. The numbers are nft's own (its <c>TYPE_*</c>), kept in sets so that nft can print them.
/// </summary>
public enum NftDataType : uint
{
    /// <summary>No type: nothing that nft can print.</summary>
    Invalid = 0,

    /// <summary><c>verdict</c>.</summary>
    Verdict = 1,

    /// <summary><c>nf_proto</c>: a family (<c>meta nfproto</c>), 1 byte.</summary>
    NfProto = 2,

    /// <summary><c>bitmask</c>: bits without names, of any length.</summary>
    Bitmask = 3,

    /// <summary><c>integer</c>: a number; how long it is, and in which byte order, depends on where it comes from (4 bytes, host order, where nothing says).</summary>
    Integer = 4,

    /// <summary><c>string</c>: text padded with zeros.</summary>
    String = 5,

    /// <summary><c>ll_addr</c>: a link layer address of any length.</summary>
    LlAddr = 6,

    /// <summary><c>ipv4_addr</c>, 4 bytes.</summary>
    Ipv4Addr = 7,

    /// <summary><c>ipv6_addr</c>, 16 bytes.</summary>
    Ipv6Addr = 8,

    /// <summary><c>ether_addr</c>, 6 bytes.</summary>
    EtherAddr = 9,

    /// <summary><c>ether_type</c>, 2 bytes, network order.</summary>
    EtherType = 10,

    /// <summary><c>arp_op</c>, 2 bytes, network order.</summary>
    ArpOp = 11,

    /// <summary><c>inet_proto</c>, 1 byte.</summary>
    InetProto = 12,

    /// <summary><c>inet_service</c>: a port, 2 bytes, network order.</summary>
    InetService = 13,

    /// <summary><c>icmp_type</c>, 1 byte.</summary>
    IcmpType = 14,

    /// <summary><c>tcp_flag</c>: bits, 1 byte.</summary>
    TcpFlag = 15,

    /// <summary><c>dccp_pkttype</c>, 4 bits.</summary>
    DccpPktType = 16,

    /// <summary><c>mh_type</c>, 1 byte.</summary>
    MhType = 17,

    /// <summary><c>time</c>: milliseconds, 8 bytes (4 in <c>ct expiration</c>), host order.</summary>
    Time = 18,

    /// <summary><c>mark</c>, 4 bytes, host order.</summary>
    Mark = 19,

    /// <summary><c>iface_index</c>, 4 bytes, host order.</summary>
    IfIndex = 20,

    /// <summary><c>iface_type</c>: <c>ARPHRD_*</c>, 2 bytes, host order.</summary>
    IfType = 21,

    /// <summary><c>realm</c>, 4 bytes, host order.</summary>
    Realm = 22,

    /// <summary><c>classid</c>: a handle of traffic control, 4 bytes, host order.</summary>
    ClassId = 23,

    /// <summary><c>uid</c>, 4 bytes, host order.</summary>
    Uid = 24,

    /// <summary><c>gid</c>, 4 bytes, host order.</summary>
    Gid = 25,

    /// <summary><c>ct_state</c>: bits, 4 bytes, host order.</summary>
    CtState = 26,

    /// <summary><c>ct_dir</c>: <see cref="Rules.NftCtDirection"/>, 1 byte.</summary>
    CtDir = 27,

    /// <summary><c>ct_status</c>: bits, 4 bytes, host order.</summary>
    CtStatus = 28,

    /// <summary><c>icmpv6_type</c>, 1 byte.</summary>
    Icmp6Type = 29,

    /// <summary><c>ct_label</c>: 128 bits, host order.</summary>
    CtLabel = 30,

    /// <summary><c>pkt_type</c>, 1 byte.</summary>
    PktType = 31,

    /// <summary><c>icmp_code</c>, 1 byte.</summary>
    IcmpCode = 32,

    /// <summary><c>icmpv6_code</c>, 1 byte.</summary>
    Icmpv6Code = 33,

    /// <summary><c>icmpx_code</c>, 1 byte.</summary>
    IcmpxCode = 34,

    /// <summary><c>devgroup</c>, 4 bytes, host order.</summary>
    DevGroup = 35,

    /// <summary><c>dscp</c>, 6 bits.</summary>
    Dscp = 36,

    /// <summary><c>ecn</c>, 2 bits.</summary>
    Ecn = 37,

    /// <summary><c>fib_addrtype</c>: <see cref="Rules.NftAddrType"/>, 4 bytes, host order.</summary>
    FibAddrType = 38,

    /// <summary><c>boolean</c>, 1 byte.</summary>
    Boolean = 39,

    /// <summary><c>ct_event</c>: bits, 4 bytes, host order.</summary>
    CtEvent = 40,

    /// <summary><c>ifname</c>, 16 bytes, padded with zeros.</summary>
    Ifname = 41,

    /// <summary><c>igmp_type</c>, 1 byte.</summary>
    IgmpType = 42,

    /// <summary><c>time</c> of <c>meta time</c>: nanoseconds since 1970, 8 bytes, host order.</summary>
    Date = 43,

    /// <summary><c>hour</c>: seconds of the day in UTC, 4 bytes, host order.</summary>
    Hour = 44,

    /// <summary><c>day</c> of the week, 0 (Sunday) to 6, 1 byte.</summary>
    Day = 45,

    /// <summary><c>cgroupsv2</c>: the number of a cgroup, 8 bytes, host order.</summary>
    CgroupV2 = 46,
}
