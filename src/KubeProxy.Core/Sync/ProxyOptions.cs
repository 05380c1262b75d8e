using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Sync;

/// <summary>What the engine has to know of its node and how eager it is.</summary>
public sealed record ProxyOptions
{
    /// <summary>The name of this node, as in <c>nodeName</c> of endpoints and the name of the Node object.</summary>
    public required string NodeName { get; init; }

    /// <summary>
    /// Addresses of the node: the first of each family replaces what the Node object says. Needed for source ranges and for
    /// <see cref="NodePortAddresses.Primary"/>.
    /// </summary>
    public ImmutableArray<IpAddr> NodeAddresses { get; init; } = [];

    /// <summary>Where node ports are open.</summary>
    public NodePortAddresses NodePortAddresses { get; init; } = NodePortAddresses.Everywhere;

    /// <summary>Whether <c>spec.externalIPs</c> are served.</summary>
    public bool AllowExternalIPs { get; init; } = true;

    /// <summary>Where external and load-balancer IPs have to lie; empty for anywhere. What lies elsewhere is a problem, and not in force.</summary>
    public ImmutableArray<IpRange> VirtualIpRanges { get; init; } = [];

    /// <summary>
    /// Whether the backends make virtual IPs addresses of this node. Then one that is an address of another Node or of the API server is
    /// not in force: the node could not reach them any more.
    /// </summary>
    public bool VirtualIpsBecomeLocal { get; init; }

    /// <summary>Protocols that the backends do not serve, each with the reason: ports of Services with them are a problem.</summary>
    public IReadOnlyDictionary<Protocol, string> UnservedProtocols { get; init; } = ImmutableDictionary<Protocol, string>.Empty;

    /// <summary>The least time from the end of one sync to the start of the next; 0 for none.</summary>
    public TimeSpan MinSyncPeriod { get; init; } = TimeSpan.Zero;

    /// <summary>
    /// The longest delay before a failed sync is tried again, and half of the time after which a change that is not in force
    /// makes the proxy unhealthy. Greater than 0.
    /// </summary>
    public TimeSpan SyncPeriod { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the kernel is compared with what it should hold when nothing else happens.</summary>
    public TimeSpan VerifyPeriod { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long the first sync waits for Nodes and ServiceCIDRs once Services and EndpointSlices are there. Without them it
    /// would program what the next sync takes back: other endpoints than the node's zone asks for, an empty list of blocks.
    /// </summary>
    public TimeSpan NodeWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    public void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(NodeName);
        if (MinSyncPeriod < TimeSpan.Zero) throw new ArgumentException("MinSyncPeriod is negative.");
        if (SyncPeriod <= TimeSpan.Zero) throw new ArgumentException("SyncPeriod is not greater than 0.");
        if (MinSyncPeriod > SyncPeriod) throw new ArgumentException("MinSyncPeriod is greater than SyncPeriod.");
        if (VerifyPeriod < MinSyncPeriod || VerifyPeriod <= TimeSpan.Zero)
            throw new ArgumentException("VerifyPeriod is less than MinSyncPeriod or not greater than 0.");
        if (NodeWait < TimeSpan.Zero) throw new ArgumentException("NodeWait is negative.");
    }
}
