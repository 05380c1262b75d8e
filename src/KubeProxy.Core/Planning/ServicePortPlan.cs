using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>
/// What one port of one Service means on this node, for one address family: all of the Service semantics, decided.
/// A backend only compiles it to kernel objects. Immutable, compared by value.
/// </summary>
public sealed record ServicePortPlan
{
    /// <summary>The service port.</summary>
    public required ServicePortName Name { get; init; }

    /// <summary>The family of all addresses in the plan.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>
    /// <c>metadata.creationTimestamp</c> of the Service (<see cref="DateTimeOffset.MaxValue"/> if unknown); the older one
    /// wins a conflict, then the smaller name.
    /// </summary>
    public DateTimeOffset CreatedAt { get; init; } = DateTimeOffset.MaxValue;

    /// <summary>The destinations; each key occurs once. Frontends lost to another service port in a conflict are absent.</summary>
    public ImmutableArray<Frontend> Frontends { get; init; } = [];

    /// <summary>Endpoints for traffic that may go anywhere in the cluster, sorted. Empty when no frontend uses them.</summary>
    public ImmutableArray<IpEndpoint> ClusterEndpoints { get; init; } = [];

    /// <summary>Endpoints on this node for traffic with policy Local, sorted. Empty when no frontend uses them.</summary>
    public ImmutableArray<IpEndpoint> LocalEndpoints { get; init; } = [];

    /// <summary>
    /// Addresses on this node among all endpoints in use, sorted: connections from such an address to itself through the
    /// service are hairpins and have to be masqueraded. Also those of endpoints that do not say where they are.
    /// </summary>
    public ImmutableArray<IpAddr> HairpinAddresses { get; init; } = [];

    /// <summary>
    /// For UDP and SCTP: every serving endpoint, sorted, used or not. A flow to one of the frontends that was translated to anything
    /// else is stale and is deleted.
    /// </summary>
    public ImmutableArray<IpEndpoint> ServingEndpoints { get; init; } = [];

    /// <summary>The timeout of session affinity ClientIP, 1 to 86,400 seconds; null for none.</summary>
    public TimeSpan? AffinityTimeout { get; init; }

    /// <summary>
    /// The scheduler that the Service asks for (annotation <c>kube-proxy/ipvs-scheduler</c>), for backends that
    /// have several; null for the backend's own choice.
    /// </summary>
    public string? Scheduler { get; init; }

    /// <summary>
    /// The source ranges as the Service has them (only those of the family, in its order), then the virtual IPs that are allowed
    /// because the node is, for backends that show them as they are written; <see cref="Frontend.AllowedSources"/> is what they
    /// mean. A block may occur twice. Empty when no frontend is restricted.
    /// </summary>
    public ImmutableArray<Cidr> SourceBlocks { get; init; } = [];

    /// <summary>The port on which the node answers health checks of load balancers for the Service; 0 for none.</summary>
    public ushort HealthCheckNodePort { get; init; }

    /// <summary>The endpoints of a destination; none where connections are refused.</summary>
    public ImmutableArray<IpEndpoint> EndpointsOf(Destination destination) => destination switch
    {
        Destination.ClusterEndpoints => ClusterEndpoints,
        Destination.LocalEndpoints => LocalEndpoints,
        _ => [],
    };

    /// <summary>The plan with some of its frontends only. Endpoints that no frontend is left to use stay out.</summary>
    /// <param name="keep">Whether a frontend stays.</param>
    public ServicePortPlan WithFrontends(Func<FrontendKey, bool> keep)
    {
        ArgumentNullException.ThrowIfNull(keep);
        var frontends = Frontends.RemoveAll(frontend => !keep(frontend.Key));
        if (frontends.Length == Frontends.Length) return this;
        var cluster = frontends.Any(frontend => frontend.UsesClusterEndpoints) ? ClusterEndpoints : [];
        var local = frontends.Any(frontend => frontend.UsesLocalEndpoints) ? LocalEndpoints : [];
        var inUse = new HashSet<IpAddr>(cluster.Concat(local).Select(endpoint => endpoint.Address));
        return this with
        {
            Frontends = frontends,
            ClusterEndpoints = cluster,
            LocalEndpoints = local,
            HairpinAddresses = HairpinAddresses.RemoveAll(address => !inUse.Contains(address)),
        };
    }

    /// <inheritdoc/>
    public bool Equals(ServicePortPlan? other) => other is not null && Name == other.Name && Family == other.Family
        && CreatedAt == other.CreatedAt && AffinityTimeout == other.AffinityTimeout && Scheduler == other.Scheduler
        && HealthCheckNodePort == other.HealthCheckNodePort && SourceBlocks.AsSpan().SequenceEqual(other.SourceBlocks.AsSpan())
        && Frontends.AsSpan().SequenceEqual(other.Frontends.AsSpan())
        && ClusterEndpoints.AsSpan().SequenceEqual(other.ClusterEndpoints.AsSpan())
        && LocalEndpoints.AsSpan().SequenceEqual(other.LocalEndpoints.AsSpan())
        && HairpinAddresses.AsSpan().SequenceEqual(other.HairpinAddresses.AsSpan())
        && ServingEndpoints.AsSpan().SequenceEqual(other.ServingEndpoints.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() =>
        HashCode.Combine(Name, Family, Frontends.Length, ClusterEndpoints.Length, LocalEndpoints.Length);
}
