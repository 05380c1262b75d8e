namespace KubeProxy.Netlink;

/// <summary>How to open a <see cref="NetlinkSocket"/>.</summary>
public sealed record NetlinkSocketOptions
{
    /// <summary>
    /// The receive buffer in bytes. An acknowledgement accounts for about 1 KiB of it. Without CAP_NET_ADMIN the kernel
    /// limits it to <c>net.core.rmem_max</c>.
    /// </summary>
    public int ReceiveBuffer { get; init; } = 4 * 1024 * 1024;

    /// <summary>The send buffer in bytes; it is raised by itself for longer datagrams.</summary>
    public int SendBuffer { get; init; } = 256 * 1024;

    /// <summary>
    /// NETLINK_GET_STRICT_CHK (Linux 4.20): the kernel refuses rtnetlink dump requests that it does not understand instead of
    /// ignoring filters in them.
    /// </summary>
    public bool StrictDumps { get; init; } = true;

    /// <summary>Which notifications to keep; null keeps all.</summary>
    public NetlinkNotificationFilter? Filter { get; init; }

    /// <summary>Is told of every datagram; null: what the environment variable says, see <see cref="NetlinkTrace"/>.</summary>
    public INetlinkTrace? Trace { get; init; }
}

/// <summary>
/// Drops notifications of changes made by one's own socket, in the kernel, before they take up receive buffer
/// or wake anyone (a classic BPF program, SO_ATTACH_FILTER).
/// </summary>
/// <param name="IgnoredPortId">Datagrams whose first message bears this port id are dropped, </param>
/// <param name="KeptMessageType">unless that message is of this type.</param>
public sealed record NetlinkNotificationFilter(uint IgnoredPortId, ushort KeptMessageType);
