namespace KubeProxy.Netfilter.Rtnetlink;

/// <summary>The state of a link (<c>IFF_*</c>, linux/if.h).</summary>
[Flags]
public enum LinkFlags
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>Switched on by the administrator.</summary>
    Up = 0x1, // IFF_UP

    /// <summary>Broadcasts reach others.</summary>
    Broadcast = 0x2, // IFF_BROADCAST

    /// <summary>Loopback.</summary>
    Loopback = 0x8, // IFF_LOOPBACK

    /// <summary>A tunnel to one peer.</summary>
    PointToPoint = 0x10, // IFF_POINTOPOINT

    /// <summary>Operational.</summary>
    Running = 0x40, // IFF_RUNNING

    /// <summary>Does no ARP.</summary>
    NoArp = 0x80, // IFF_NOARP
}

/// <summary>A network interface.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Name">Its name, at most 15 bytes.</param>
/// <param name="Kind">The kind of virtual device, such as <c>dummy</c> or <c>veth</c>; null for others.</param>
/// <param name="Flags">Its state.</param>
public sealed record NetworkLink(int Index, string Name, string? Kind, LinkFlags Flags);
