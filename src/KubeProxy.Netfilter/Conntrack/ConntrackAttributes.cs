namespace KubeProxy.Netfilter.Conntrack;

// linux/netfilter/nfnetlink_conntrack.h; all numbers on the wire are big endian, unless said otherwise.

internal enum CtMessage : byte
{
    New = 0, // IPCTNL_MSG_CT_NEW
    Get = 1, // IPCTNL_MSG_CT_GET
    Delete = 2, // IPCTNL_MSG_CT_DELETE
    GetAndZero = 3, // IPCTNL_MSG_CT_GET_CTRZERO
    GetCpuStatistics = 4, // IPCTNL_MSG_CT_GET_STATS_CPU
    GetStatistics = 5, // IPCTNL_MSG_CT_GET_STATS
    GetDying = 6, // IPCTNL_MSG_CT_GET_DYING
    GetUnconfirmed = 7, // IPCTNL_MSG_CT_GET_UNCONFIRMED
}

internal enum CtAttribute : ushort
{
    TupleOriginal = 1, // CTA_TUPLE_ORIG
    TupleReply = 2, // CTA_TUPLE_REPLY
    Status = 3, // CTA_STATUS
    ProtocolState = 4, // CTA_PROTOINFO
    Helper = 5, // CTA_HELP
    SourceNat = 6, // CTA_NAT_SRC
    Timeout = 7, // CTA_TIMEOUT
    Mark = 8, // CTA_MARK
    OriginalCounters = 9, // CTA_COUNTERS_ORIG
    ReplyCounters = 10, // CTA_COUNTERS_REPLY
    Use = 11, // CTA_USE
    Id = 12, // CTA_ID
    DestinationNat = 13, // CTA_NAT_DST
    TupleMaster = 14, // CTA_TUPLE_MASTER
    OriginalSequence = 15, // CTA_SEQ_ADJ_ORIG
    ReplySequence = 16, // CTA_SEQ_ADJ_REPLY
    Zone = 18, // CTA_ZONE
    SecurityContext = 19, // CTA_SECCTX
    Timestamp = 20, // CTA_TIMESTAMP
    MarkMask = 21, // CTA_MARK_MASK
    Labels = 22, // CTA_LABELS
    LabelsMask = 23, // CTA_LABELS_MASK
    Synproxy = 24, // CTA_SYNPROXY
    Filter = 25, // CTA_FILTER
    StatusMask = 26, // CTA_STATUS_MASK
}

internal enum CtTupleAttribute : ushort
{
    Ip = 1, // CTA_TUPLE_IP
    Protocol = 2, // CTA_TUPLE_PROTO
    Zone = 3, // CTA_TUPLE_ZONE
}

internal enum CtIpAttribute : ushort
{
    V4Source = 1, // CTA_IP_V4_SRC
    V4Destination = 2, // CTA_IP_V4_DST
    V6Source = 3, // CTA_IP_V6_SRC
    V6Destination = 4, // CTA_IP_V6_DST
}

internal enum CtProtocolAttribute : ushort
{
    Number = 1, // CTA_PROTO_NUM
    SourcePort = 2, // CTA_PROTO_SRC_PORT
    DestinationPort = 3, // CTA_PROTO_DST_PORT
    IcmpId = 4, // CTA_PROTO_ICMP_ID
    IcmpType = 5, // CTA_PROTO_ICMP_TYPE
    IcmpCode = 6, // CTA_PROTO_ICMP_CODE
    Icmpv6Id = 7, // CTA_PROTO_ICMPV6_ID
    Icmpv6Type = 8, // CTA_PROTO_ICMPV6_TYPE
    Icmpv6Code = 9, // CTA_PROTO_ICMPV6_CODE
}

internal enum CtStateAttribute : ushort
{
    Tcp = 1, // CTA_PROTOINFO_TCP
    Dccp = 2, // CTA_PROTOINFO_DCCP
    Sctp = 3, // CTA_PROTOINFO_SCTP
}

internal enum CtTcpAttribute : ushort
{
    State = 1, // CTA_PROTOINFO_TCP_STATE
    OriginalWindowScale = 2, // CTA_PROTOINFO_TCP_WSCALE_ORIGINAL
    ReplyWindowScale = 3, // CTA_PROTOINFO_TCP_WSCALE_REPLY
    OriginalFlags = 4, // CTA_PROTOINFO_TCP_FLAGS_ORIGINAL: struct nf_ct_tcp_flags
    ReplyFlags = 5, // CTA_PROTOINFO_TCP_FLAGS_REPLY
}

internal enum CtDccpAttribute : ushort
{
    State = 1, // CTA_PROTOINFO_DCCP_STATE
    Role = 2, // CTA_PROTOINFO_DCCP_ROLE
    HandshakeSequence = 3, // CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ
}

internal enum CtSctpAttribute : ushort
{
    State = 1, // CTA_PROTOINFO_SCTP_STATE
    OriginalTag = 2, // CTA_PROTOINFO_SCTP_VTAG_ORIGINAL
    ReplyTag = 3, // CTA_PROTOINFO_SCTP_VTAG_REPLY
}

internal enum CtCounterAttribute : ushort
{
    Packets = 1, // CTA_COUNTERS_PACKETS
    Bytes = 2, // CTA_COUNTERS_BYTES
}

internal enum CtTimestampAttribute : ushort
{
    Start = 1, // CTA_TIMESTAMP_START: nanoseconds since 1970
    Stop = 2, // CTA_TIMESTAMP_STOP
}

internal enum CtHelperAttribute : ushort
{
    Name = 1, // CTA_HELP_NAME
}

internal enum CtSecurityAttribute : ushort
{
    Name = 1, // CTA_SECCTX_NAME
}

internal enum CtNatAttribute : ushort
{
    V4First = 1, // CTA_NAT_V4_MINIP
    V4Last = 2, // CTA_NAT_V4_MAXIP
    Ports = 3, // CTA_NAT_PROTO
    V6First = 4, // CTA_NAT_V6_MINIP
    V6Last = 5, // CTA_NAT_V6_MAXIP
}

internal enum CtNatPortAttribute : ushort
{
    First = 1, // CTA_PROTONAT_PORT_MIN
    Last = 2, // CTA_PROTONAT_PORT_MAX
}

internal enum CtSequenceAttribute : ushort
{
    Position = 1, // CTA_SEQADJ_CORRECTION_POS
    OffsetBefore = 2, // CTA_SEQADJ_OFFSET_BEFORE
    OffsetAfter = 3, // CTA_SEQADJ_OFFSET_AFTER
}

internal enum CtSynproxyAttribute : ushort
{
    InitialSequence = 1, // CTA_SYNPROXY_ISN
    InitialTimestamp = 2, // CTA_SYNPROXY_ITS
    TimestampOffset = 3, // CTA_SYNPROXY_TSOFF
}

internal enum CtFilterAttribute : ushort
{
    OriginalFlags = 1, // CTA_FILTER_ORIG_FLAGS: host order
    ReplyFlags = 2, // CTA_FILTER_REPLY_FLAGS: host order
}

internal enum CtCpuStatisticsAttribute : ushort
{
    Found = 2, // CTA_STATS_FOUND
    Invalid = 4, // CTA_STATS_INVALID
    Insert = 8, // CTA_STATS_INSERT
    InsertFailed = 9, // CTA_STATS_INSERT_FAILED
    Drop = 10, // CTA_STATS_DROP
    EarlyDrop = 11, // CTA_STATS_EARLY_DROP
    Error = 12, // CTA_STATS_ERROR
    SearchRestart = 13, // CTA_STATS_SEARCH_RESTART
    ClashResolve = 14, // CTA_STATS_CLASH_RESOLVE
    ChainTooLong = 15, // CTA_STATS_CHAIN_TOOLONG
}

internal enum CtStatisticsAttribute : ushort
{
    Entries = 1, // CTA_STATS_GLOBAL_ENTRIES
    MaxEntries = 2, // CTA_STATS_GLOBAL_MAX_ENTRIES
}

/// <summary>Which fields of a tuple a dump is filtered by (net/netfilter/nf_internals.h).</summary>
[Flags]
internal enum CtFilterFields : uint
{
    None = 0,
    IpSource = 1 << 0, // CTA_FILTER_F_CTA_IP_SRC
    IpDestination = 1 << 1, // CTA_FILTER_F_CTA_IP_DST
    ProtocolNumber = 1 << 3, // CTA_FILTER_F_CTA_PROTO_NUM
    SourcePort = 1 << 4, // CTA_FILTER_F_CTA_PROTO_SRC_PORT
    DestinationPort = 1 << 5, // CTA_FILTER_F_CTA_PROTO_DST_PORT
    IcmpType = 1 << 6, // CTA_FILTER_F_CTA_PROTO_ICMP_TYPE
    IcmpCode = 1 << 7, // CTA_FILTER_F_CTA_PROTO_ICMP_CODE
    IcmpId = 1 << 8, // CTA_FILTER_F_CTA_PROTO_ICMP_ID
    Icmpv6Type = 1 << 9, // CTA_FILTER_F_CTA_PROTO_ICMPV6_TYPE
    Icmpv6Code = 1 << 10, // CTA_FILTER_F_CTA_PROTO_ICMPV6_CODE
    Icmpv6Id = 1 << 11, // CTA_FILTER_F_CTA_PROTO_ICMPV6_ID
}
