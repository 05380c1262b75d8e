namespace KubeProxy.Netfilter.Conntrack;

// linux/netfilter/nfnetlink_conntrack.h; all numbers on the wire are big endian.

internal enum CtMessage : byte
{
    New = 0, // IPCTNL_MSG_CT_NEW
    Get = 1, // IPCTNL_MSG_CT_GET
    Delete = 2, // IPCTNL_MSG_CT_DELETE
}

internal enum CtAttribute : ushort
{
    TupleOriginal = 1, // CTA_TUPLE_ORIG
    TupleReply = 2, // CTA_TUPLE_REPLY
    Status = 3, // CTA_STATUS
    Mark = 8, // CTA_MARK
    Id = 12, // CTA_ID
    Zone = 18, // CTA_ZONE
    MarkMask = 21, // CTA_MARK_MASK
    Filter = 25, // CTA_FILTER
    StatusMask = 26, // CTA_STATUS_MASK
}

internal enum CtTupleAttribute : ushort
{
    Ip = 1, // CTA_TUPLE_IP
    Protocol = 2, // CTA_TUPLE_PROTO
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
}

internal enum CtFilterAttribute : ushort
{
    OriginalFlags = 1, // CTA_FILTER_ORIG_FLAGS
}

/// <summary>Which fields of the original tuple a dump is filtered by (net/netfilter/nf_conntrack_netlink.c).</summary>
[Flags]
internal enum CtFilterFields : uint
{
    None = 0,
    IpDestination = 1 << 1, // CTA_FILTER_F_CTA_IP_DST
    ProtocolNumber = 1 << 3, // CTA_FILTER_F_CTA_PROTO_NUM
    DestinationPort = 1 << 5, // CTA_FILTER_F_CTA_PROTO_DST_PORT
}
