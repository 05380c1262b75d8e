namespace KubeProxy.Ipvs.Wire;

// The numbers of linux/ip_vs.h that are sent or received.

internal enum IpvsCommand : byte
{
    NewService = 1, // IPVS_CMD_NEW_SERVICE
    SetService = 2, // IPVS_CMD_SET_SERVICE
    DeleteService = 3, // IPVS_CMD_DEL_SERVICE
    GetService = 4, // IPVS_CMD_GET_SERVICE
    NewDestination = 5, // IPVS_CMD_NEW_DEST
    SetDestination = 6, // IPVS_CMD_SET_DEST
    DeleteDestination = 7, // IPVS_CMD_DEL_DEST
    GetDestination = 8, // IPVS_CMD_GET_DEST
    SetConfig = 12, // IPVS_CMD_SET_CONFIG
    GetConfig = 13, // IPVS_CMD_GET_CONFIG
    SetInfo = 14, // IPVS_CMD_SET_INFO: the answer to GetInfo
    GetInfo = 15, // IPVS_CMD_GET_INFO
    Zero = 16, // IPVS_CMD_ZERO
    Flush = 17, // IPVS_CMD_FLUSH
}

internal enum IpvsAttribute : ushort
{
    Service = 1, // IPVS_CMD_ATTR_SERVICE
    Destination = 2, // IPVS_CMD_ATTR_DEST
    TimeoutTcp = 4, // IPVS_CMD_ATTR_TIMEOUT_TCP
    TimeoutTcpFin = 5, // IPVS_CMD_ATTR_TIMEOUT_TCP_FIN
    TimeoutUdp = 6, // IPVS_CMD_ATTR_TIMEOUT_UDP
}

internal enum IpvsServiceAttribute : ushort
{
    AddressFamily = 1, // IPVS_SVC_ATTR_AF
    Protocol = 2, // IPVS_SVC_ATTR_PROTOCOL
    Address = 3, // IPVS_SVC_ATTR_ADDR
    Port = 4, // IPVS_SVC_ATTR_PORT
    FirewallMark = 5, // IPVS_SVC_ATTR_FWMARK
    Scheduler = 6, // IPVS_SVC_ATTR_SCHED_NAME
    Flags = 7, // IPVS_SVC_ATTR_FLAGS
    Timeout = 8, // IPVS_SVC_ATTR_TIMEOUT
    Netmask = 9, // IPVS_SVC_ATTR_NETMASK
    Statistics = 10, // IPVS_SVC_ATTR_STATS
    PersistenceEngine = 11, // IPVS_SVC_ATTR_PE_NAME
    Statistics64 = 12, // IPVS_SVC_ATTR_STATS64, Linux 4.1
}

internal enum IpvsDestinationAttribute : ushort
{
    Address = 1, // IPVS_DEST_ATTR_ADDR
    Port = 2, // IPVS_DEST_ATTR_PORT
    ForwardingMethod = 3, // IPVS_DEST_ATTR_FWD_METHOD
    Weight = 4, // IPVS_DEST_ATTR_WEIGHT
    UpperThreshold = 5, // IPVS_DEST_ATTR_U_THRESH
    LowerThreshold = 6, // IPVS_DEST_ATTR_L_THRESH
    ActiveConnections = 7, // IPVS_DEST_ATTR_ACTIVE_CONNS
    InactiveConnections = 8, // IPVS_DEST_ATTR_INACT_CONNS
    PersistentConnections = 9, // IPVS_DEST_ATTR_PERSIST_CONNS
    Statistics = 10, // IPVS_DEST_ATTR_STATS
    AddressFamily = 11, // IPVS_DEST_ATTR_ADDR_FAMILY, Linux 3.18
    Statistics64 = 12, // IPVS_DEST_ATTR_STATS64, Linux 4.1
    TunnelType = 13, // IPVS_DEST_ATTR_TUN_TYPE, Linux 5.3
    TunnelPort = 14, // IPVS_DEST_ATTR_TUN_PORT
    TunnelFlags = 15, // IPVS_DEST_ATTR_TUN_FLAGS, Linux 5.3
}

internal enum IpvsStatisticsAttribute : ushort
{
    Connections = 1, // IPVS_STATS_ATTR_CONNS
    PacketsIn = 2, // IPVS_STATS_ATTR_INPKTS
    PacketsOut = 3, // IPVS_STATS_ATTR_OUTPKTS
    BytesIn = 4, // IPVS_STATS_ATTR_INBYTES
    BytesOut = 5, // IPVS_STATS_ATTR_OUTBYTES
    ConnectionsPerSecond = 6, // IPVS_STATS_ATTR_CPS
    PacketsInPerSecond = 7, // IPVS_STATS_ATTR_INPPS
    PacketsOutPerSecond = 8, // IPVS_STATS_ATTR_OUTPPS
    BytesInPerSecond = 9, // IPVS_STATS_ATTR_INBPS
    BytesOutPerSecond = 10, // IPVS_STATS_ATTR_OUTBPS
}

internal enum IpvsInfoAttribute : ushort
{
    Version = 1, // IPVS_INFO_ATTR_VERSION
    ConnectionTableSize = 2, // IPVS_INFO_ATTR_CONN_TAB_SIZE
}

/// <summary>Numbers that occur in values.</summary>
internal static class IpvsProtocol
{
    public const string FamilyName = "IPVS"; // IPVS_GENL_NAME
    public const ushort AF_INET = 2;
    public const ushort AF_INET6 = 10;
    public const int AddressLength = 16; // union nf_inet_addr
    public const int FlagsLength = 8; // struct ip_vs_flags
    public const uint FlagPersistent = 0x1; // IP_VS_SVC_F_PERSISTENT

    /// <summary>The flags that the kernel keeps for itself.</summary>
    public const uint FlagHashed = 0x2; // IP_VS_SVC_F_HASHED

    public const uint ForwardingMethodMask = 0x7; // IP_VS_CONN_F_FWD_MASK
}
