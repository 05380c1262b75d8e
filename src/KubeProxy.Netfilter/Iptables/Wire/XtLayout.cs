namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Sizes, offsets and bits of the structs in linux/netfilter/xt_*.h, as the kernel has them on 64 bits.</summary>
internal static class XtLayout
{
    public const int CommentSize = 256; // XT_MAX_COMMENT_LEN
    public const int PortsSize = 16;

    public const int SctpSize = 296;
    public const int SctpFlagInfo = 268;
    public const int SctpChunkFlags = 4; // XT_NUM_SCTP_FLAGS
    public const int SctpFlags = 284;
    public const uint SctpSource = 1; // XT_SCTP_SRC_PORTS
    public const uint SctpDestination = 2; // XT_SCTP_DEST_PORTS

    public const int AddressTypeSize = 8;

    public const int ConntrackSize = 168;
    public const int ConntrackFlags = 146;
    public const ushort ConntrackState = 1; // XT_CONNTRACK_STATE

    public const int StatisticSize = 24;

    public const int RecentSize = 232;
    public const int RecentNameSize = 200; // XT_RECENT_NAME_LEN
    public const int RecentMask = 212;
    public const byte RecentReap = 32; // XT_RECENT_REAP

    public const int AccountingSize = 40;
    public const int AccountingNameSize = 32; // NFACCT_NAME_MAX

    public const int MarkSize = 8;
    public const int RejectSize = 8;
    public const uint RejectPortUnreachable4 = 3; // IPT_ICMP_PORT_UNREACHABLE
    public const uint RejectPortUnreachable6 = 4; // IP6T_ICMP6_PORT_UNREACH

    public const int Masquerade4Size = 24; // struct nf_nat_ipv4_multi_range_compat
    public const int Masquerade6Size = 40; // struct nf_nat_range
    public const int DnatSize = 48; // struct nf_nat_range2
    public const uint RangeAddresses = 1; // NF_NAT_RANGE_MAP_IPS
    public const uint RangePorts = 2; // NF_NAT_RANGE_PROTO_SPECIFIED
    public const uint RangeRandomFully = 16; // NF_NAT_RANGE_PROTO_RANDOM_FULLY
}
