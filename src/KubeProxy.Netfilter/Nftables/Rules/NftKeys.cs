namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>A key of the meta expression (<c>enum nft_meta_keys</c>).</summary>
public enum NftMetaKey : uint
{
    /// <summary><c>meta length</c>: bytes of the packet.</summary>
    Length = 0, // NFT_META_LEN

    /// <summary><c>meta protocol</c>: the EtherType.</summary>
    Protocol = 1, // NFT_META_PROTOCOL

    /// <summary><c>meta priority</c>: the class of traffic control.</summary>
    Priority = 2, // NFT_META_PRIORITY

    /// <summary><c>meta mark</c>: the packet mark.</summary>
    Mark = 3, // NFT_META_MARK

    /// <summary><c>iif</c>: the index of the input interface.</summary>
    Iif = 4, // NFT_META_IIF

    /// <summary><c>oif</c>: the index of the output interface.</summary>
    Oif = 5, // NFT_META_OIF

    /// <summary><c>iifname</c>: the name of the input interface.</summary>
    Iifname = 6, // NFT_META_IIFNAME

    /// <summary><c>oifname</c>: the name of the output interface.</summary>
    Oifname = 7, // NFT_META_OIFNAME

    /// <summary><c>meta iiftype</c>: what kind of link the input interface is.</summary>
    Iiftype = 8, // NFT_META_IFTYPE

    /// <summary><c>meta oiftype</c>: what kind of link the output interface is.</summary>
    Oiftype = 9, // NFT_META_OIFTYPE

    /// <summary><c>meta skuid</c>: the user of the sending socket.</summary>
    Skuid = 10, // NFT_META_SKUID

    /// <summary><c>meta skgid</c>: the group of the sending socket.</summary>
    Skgid = 11, // NFT_META_SKGID

    /// <summary><c>meta nftrace</c>: whether the packet is traced, 0 or 1.</summary>
    Nftrace = 12, // NFT_META_NFTRACE

    /// <summary><c>meta rtclassid</c>: the realm of the route.</summary>
    Rtclassid = 13, // NFT_META_RTCLASSID

    /// <summary><c>meta secmark</c>: the security mark.</summary>
    Secmark = 14, // NFT_META_SECMARK

    /// <summary><c>meta nfproto</c>: the family, in inet tables.</summary>
    Nfproto = 15, // NFT_META_NFPROTO

    /// <summary><c>meta l4proto</c>: the transport protocol.</summary>
    L4proto = 16, // NFT_META_L4PROTO

    /// <summary><c>meta ibrname</c>: the bridge of the input port.</summary>
    BridgeIifname = 17, // NFT_META_BRI_IIFNAME

    /// <summary><c>meta obrname</c>: the bridge of the output port.</summary>
    BridgeOifname = 18, // NFT_META_BRI_OIFNAME

    /// <summary><c>meta pkttype</c>: to this host, to all, to a group, to another host.</summary>
    Pkttype = 19, // NFT_META_PKTTYPE

    /// <summary><c>meta cpu</c>: the processor that works on it.</summary>
    Cpu = 20, // NFT_META_CPU

    /// <summary><c>iifgroup</c>: the group of the input interface.</summary>
    Iifgroup = 21, // NFT_META_IIFGROUP

    /// <summary><c>oifgroup</c>: the group of the output interface.</summary>
    Oifgroup = 22, // NFT_META_OIFGROUP

    /// <summary><c>meta cgroup</c>: the net_cls number of the sending socket.</summary>
    Cgroup = 23, // NFT_META_CGROUP

    /// <summary><c>meta random</c>: a number of 32 random bits.</summary>
    Random = 24, // NFT_META_PRANDOM

    /// <summary><c>meta ipsec</c>: whether it came through IPsec.</summary>
    Secpath = 25, // NFT_META_SECPATH

    /// <summary><c>meta iifkind</c>: the kind of the input link, such as <c>veth</c>.</summary>
    Iifkind = 26, // NFT_META_IIFKIND

    /// <summary><c>meta oifkind</c>: the kind of the output link.</summary>
    Oifkind = 27, // NFT_META_OIFKIND

    /// <summary><c>meta ibrpvid</c>: the VLAN of untagged frames of the input port.</summary>
    BridgeIifpvid = 28, // NFT_META_BRI_IIFPVID

    /// <summary><c>meta ibrvproto</c>: the EtherType of the VLAN tags of the bridge.</summary>
    BridgeIifvproto = 29, // NFT_META_BRI_IIFVPROTO

    /// <summary><c>meta time</c>: when it was received, nanoseconds since 1970.</summary>
    Time = 30, // NFT_META_TIME_NS

    /// <summary><c>meta day</c>: of the week, 0 (Sunday) to 6, in UTC.</summary>
    Day = 31, // NFT_META_TIME_DAY

    /// <summary><c>meta hour</c>: seconds of the day, in UTC.</summary>
    Hour = 32, // NFT_META_TIME_HOUR

    /// <summary><c>meta sdif</c>: the index of the real interface below a VRF.</summary>
    Sdif = 33, // NFT_META_SDIF

    /// <summary><c>meta sdifname</c>: the name of the real interface below a VRF.</summary>
    Sdifname = 34, // NFT_META_SDIFNAME
}

/// <summary>A key of the ct expression (<c>enum nft_ct_keys</c>).</summary>
public enum NftCtKey : uint
{
    /// <summary><c>ct state</c>: a bit mask, see <see cref="NftCtState"/>.</summary>
    State = 0, // NFT_CT_STATE

    /// <summary><c>ct direction</c>: see <see cref="NftCtDirection"/>.</summary>
    Direction = 1, // NFT_CT_DIRECTION

    /// <summary><c>ct status</c>: a bit mask, see <see cref="NftCtStatus"/>.</summary>
    Status = 2, // NFT_CT_STATUS

    /// <summary><c>ct mark</c>.</summary>
    Mark = 3, // NFT_CT_MARK

    /// <summary><c>ct secmark</c>.</summary>
    Secmark = 4, // NFT_CT_SECMARK

    /// <summary><c>ct expiration</c>: milliseconds.</summary>
    Expiration = 5, // NFT_CT_EXPIRATION

    /// <summary><c>ct helper</c>: the name, 16 bytes.</summary>
    Helper = 6, // NFT_CT_HELPER

    /// <summary><c>ct l3proto</c>: the family.</summary>
    L3protocol = 7, // NFT_CT_L3PROTOCOL

    /// <summary><c>ct saddr</c> of a direction, in tables of one family; nft uses <see cref="SrcIp"/> now.</summary>
    Src = 8, // NFT_CT_SRC

    /// <summary><c>ct daddr</c> of a direction, in tables of one family; nft uses <see cref="DstIp"/> now.</summary>
    Dst = 9, // NFT_CT_DST

    /// <summary><c>ct protocol</c>.</summary>
    Protocol = 10, // NFT_CT_PROTOCOL

    /// <summary><c>ct proto-src</c>: the source port of a direction.</summary>
    ProtoSrc = 11, // NFT_CT_PROTO_SRC

    /// <summary><c>ct proto-dst</c>: the destination port of a direction.</summary>
    ProtoDst = 12, // NFT_CT_PROTO_DST

    /// <summary><c>ct label</c>: 128 bits.</summary>
    Labels = 13, // NFT_CT_LABELS

    /// <summary><c>ct packets</c>, of a direction or both.</summary>
    Packets = 14, // NFT_CT_PKTS

    /// <summary><c>ct bytes</c>, of a direction or both.</summary>
    Bytes = 15, // NFT_CT_BYTES

    /// <summary><c>ct avgpkt</c>: bytes a packet, of a direction or both.</summary>
    AveragePacket = 16, // NFT_CT_AVGPKT

    /// <summary><c>ct zone</c>, of a direction or both.</summary>
    Zone = 17, // NFT_CT_ZONE

    /// <summary><c>ct event</c>: which events are told; can only be set.</summary>
    EventMask = 18, // NFT_CT_EVENTMASK

    /// <summary><c>ct original ip saddr</c>.</summary>
    SrcIp = 19, // NFT_CT_SRC_IP

    /// <summary><c>ct original ip daddr</c>.</summary>
    DstIp = 20, // NFT_CT_DST_IP

    /// <summary><c>ct original ip6 saddr</c>.</summary>
    SrcIp6 = 21, // NFT_CT_SRC_IP6

    /// <summary><c>ct original ip6 daddr</c>.</summary>
    DstIp6 = 22, // NFT_CT_DST_IP6

    /// <summary><c>ct id</c>.</summary>
    Id = 23, // NFT_CT_ID
}

/// <summary>A key of the rt expression (<c>enum nft_rt_keys</c>).</summary>
public enum NftRtKey : uint
{
    /// <summary><c>rt classid</c>: the realm.</summary>
    ClassId = 0, // NFT_RT_CLASSID

    /// <summary><c>rt ip nexthop</c>.</summary>
    NextHop4 = 1, // NFT_RT_NEXTHOP4

    /// <summary><c>rt ip6 nexthop</c>.</summary>
    NextHop6 = 2, // NFT_RT_NEXTHOP6

    /// <summary><c>rt mtu</c>: the largest TCP segment for the route, 2 bytes in host order.</summary>
    Mtu = 3, // NFT_RT_TCPMSS

    /// <summary><c>rt ipsec</c>: whether it goes through IPsec.</summary>
    Ipsec = 4, // NFT_RT_XFRM
}

/// <summary>A key of the socket expression (<c>enum nft_socket_keys</c>).</summary>
public enum NftSocketKey : uint
{
    /// <summary><c>socket transparent</c>: whether it takes packets for foreign addresses (IP_TRANSPARENT), 0 or 1.</summary>
    Transparent = 0, // NFT_SOCKET_TRANSPARENT

    /// <summary><c>socket mark</c>.</summary>
    Mark = 1, // NFT_SOCKET_MARK

    /// <summary><c>socket wildcard</c>: whether it is bound to all addresses, 0 or 1.</summary>
    Wildcard = 2, // NFT_SOCKET_WILDCARD

    /// <summary><c>socket cgroupv2</c>: the number of an ancestor of its cgroup.</summary>
    CgroupV2 = 3, // NFT_SOCKET_CGROUPV2
}

/// <summary>A key of the xfrm expression (<c>enum nft_xfrm_keys</c>).</summary>
public enum NftIpsecKey : uint
{
    /// <summary><c>ip daddr</c> of the tunnel.</summary>
    Daddr4 = 1, // NFT_XFRM_KEY_DADDR_IP4

    /// <summary><c>ip6 daddr</c> of the tunnel.</summary>
    Daddr6 = 2, // NFT_XFRM_KEY_DADDR_IP6

    /// <summary><c>ip saddr</c> of the tunnel.</summary>
    Saddr4 = 3, // NFT_XFRM_KEY_SADDR_IP4

    /// <summary><c>ip6 saddr</c> of the tunnel.</summary>
    Saddr6 = 4, // NFT_XFRM_KEY_SADDR_IP6

    /// <summary><c>reqid</c>.</summary>
    Reqid = 5, // NFT_XFRM_KEY_REQID

    /// <summary><c>spi</c>.</summary>
    Spi = 6, // NFT_XFRM_KEY_SPI
}

/// <summary>What <see cref="NftFib"/> asks (<c>enum nft_fib_result</c>).</summary>
public enum NftFibResult : uint
{
    /// <summary><c>oif</c>: the index of the interface, 0 for none.</summary>
    Oif = 1, // NFT_FIB_RESULT_OIF

    /// <summary><c>oifname</c>: its name.</summary>
    Oifname = 2, // NFT_FIB_RESULT_OIFNAME

    /// <summary><c>type</c>: see <see cref="NftAddrType"/>.</summary>
    AddrType = 3, // NFT_FIB_RESULT_ADDRTYPE
}

/// <summary>With what <see cref="NftFib"/> looks up (<c>enum nft_fib_flags</c>).</summary>
[Flags]
public enum NftFibFlags : uint
{
    /// <summary>With the source address.</summary>
    Saddr = 1, // NFTA_FIB_F_SADDR

    /// <summary>With the destination address.</summary>
    Daddr = 2, // NFTA_FIB_F_DADDR

    /// <summary>With the mark.</summary>
    Mark = 4, // NFTA_FIB_F_MARK

    /// <summary>With the input interface.</summary>
    Iif = 8, // NFTA_FIB_F_IIF

    /// <summary>With the output interface.</summary>
    Oif = 16, // NFTA_FIB_F_OIF

    /// <summary>Only whether there is a route, as 0 or 1.</summary>
    Present = 32, // NFTA_FIB_F_PRESENT
}

/// <summary>Values of <see cref="NftCtKey.Direction"/> (<c>enum ip_conntrack_dir</c>), of one byte.</summary>
public enum NftCtDirection : byte
{
    /// <summary>From whom the connection was opened by.</summary>
    Original = 0, // IP_CT_DIR_ORIGINAL

    /// <summary>Towards whom the connection was opened by.</summary>
    Reply = 1, // IP_CT_DIR_REPLY
}

/// <summary>Values of <see cref="NftCtKey.State"/>.</summary>
[Flags]
public enum NftCtState : uint
{
    /// <summary>invalid.</summary>
    Invalid = 1,

    /// <summary>established.</summary>
    Established = 2,

    /// <summary>related.</summary>
    Related = 4,

    /// <summary>new.</summary>
    New = 8,

    /// <summary>untracked.</summary>
    Untracked = 64,
}

/// <summary>Values of <see cref="NftCtKey.Status"/> (<c>enum ip_conntrack_status</c>).</summary>
[Flags]
public enum NftCtStatus : uint
{
    /// <summary>The source is translated.</summary>
    Snat = 0x10, // IPS_SRC_NAT

    /// <summary>The destination is translated.</summary>
    Dnat = 0x20, // IPS_DST_NAT
}

/// <summary>Values of <see cref="NftFibResult.AddrType"/> (<c>RTN_*</c> in <c>linux/rtnetlink.h</c>).</summary>
public enum NftAddrType : uint
{
    /// <summary>Some other host's.</summary>
    Unicast = 1, // RTN_UNICAST

    /// <summary>This host's.</summary>
    Local = 2, // RTN_LOCAL

    /// <summary>Broadcast.</summary>
    Broadcast = 3, // RTN_BROADCAST

    /// <summary>Multicast.</summary>
    Multicast = 5, // RTN_MULTICAST
}
