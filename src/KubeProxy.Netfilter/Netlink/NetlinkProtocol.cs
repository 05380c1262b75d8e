namespace KubeProxy.Netlink;

/// <summary>The protocol of a netlink socket (linux/netlink.h).</summary>
public enum NetlinkProtocol
{
    /// <summary>Addresses, links and routes.</summary>
    Route = 0, // NETLINK_ROUTE

    /// <summary>nf_tables, conntrack and the other netfilter subsystems.</summary>
    Netfilter = 12, // NETLINK_NETFILTER

    /// <summary>Generic netlink, for example IPVS.</summary>
    Generic = 16, // NETLINK_GENERIC
}
