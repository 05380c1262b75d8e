namespace KubeProxy.Netlink.Interop;

/// <summary>The options of netlink sockets, at <c>SOL_NETLINK</c> (linux/netlink.h), which Tmds.LibC has not.</summary>
internal static class NetlinkOption
{
    public const int NETLINK_ADD_MEMBERSHIP = 1;
    public const int NETLINK_DROP_MEMBERSHIP = 2;
    public const int NETLINK_CAP_ACK = 10;
    public const int NETLINK_EXT_ACK = 11;
    public const int NETLINK_GET_STRICT_CHK = 12;
}
