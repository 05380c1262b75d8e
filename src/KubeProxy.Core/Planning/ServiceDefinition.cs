using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>
/// A Service as far as a proxy is concerned: checked, defaults filled in, for both families. What could not be used of the
/// object is not in it. Immutable, compared by value.
/// </summary>
internal sealed record ServiceDefinition
{
    /// <summary>The Service.</summary>
    public required NamespacedName Name { get; init; }

    /// <summary><c>metadata.creationTimestamp</c>; <see cref="DateTimeOffset.MaxValue"/> if unknown.</summary>
    public DateTimeOffset CreatedAt { get; init; } = DateTimeOffset.MaxValue;

    /// <summary>The ports; name and protocol together are unique.</summary>
    public ImmutableArray<PortDefinition> Ports { get; init; } = [];

    /// <summary>The IPv4 side; null when the Service has none.</summary>
    public ServiceAddresses? IPv4 { get; init; }

    /// <summary>The IPv6 side; null when the Service has none.</summary>
    public ServiceAddresses? IPv6 { get; init; }

    /// <summary>internalTrafficPolicy Local.</summary>
    public bool InternalLocal { get; init; }

    /// <summary>externalTrafficPolicy Local, for a Service that can be reached from outside.</summary>
    public bool ExternalLocal { get; init; }

    /// <summary>The timeout of session affinity ClientIP; null for none.</summary>
    public TimeSpan? AffinityTimeout { get; init; }

    /// <summary>The port on which the node answers health checks of load balancers; 0 for none.</summary>
    public ushort HealthCheckNodePort { get; init; }

    /// <summary>The scheduler asked for, for backends that have several; null for the backend's own choice.</summary>
    public string? Scheduler { get; init; }

    /// <summary>The side of one family.</summary>
    public ServiceAddresses? AddressesOf(IpFamily family) => family == IpFamily.IPv4 ? IPv4 : IPv6;

    /// <inheritdoc/>
    public bool Equals(ServiceDefinition? other) => other is not null && Name == other.Name && CreatedAt == other.CreatedAt
        && Ports.AsSpan().SequenceEqual(other.Ports.AsSpan()) && IPv4 == other.IPv4 && IPv6 == other.IPv6
        && InternalLocal == other.InternalLocal && ExternalLocal == other.ExternalLocal
        && AffinityTimeout == other.AffinityTimeout && Scheduler == other.Scheduler && HealthCheckNodePort == other.HealthCheckNodePort;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, CreatedAt, Ports.Length);
}

/// <summary>One port of a Service.</summary>
/// <param name="Name"><c>name</c>; empty for an unnamed port.</param>
/// <param name="Protocol"><c>protocol</c>.</param>
/// <param name="Port"><c>port</c>, 1 to 65535.</param>
/// <param name="NodePort"><c>nodePort</c>; 0 for none.</param>
internal readonly record struct PortDefinition(string Name, Protocol Protocol, ushort Port, ushort NodePort);

/// <summary>The addresses of a Service in one family, each list without duplicates, in the order of the object.</summary>
internal sealed record ServiceAddresses
{
    /// <summary>The cluster IP.</summary>
    public required IpAddr ClusterIP { get; init; }

    /// <summary><c>spec.externalIPs</c>.</summary>
    public ImmutableArray<IpAddr> ExternalIPs { get; init; } = [];

    /// <summary><c>status.loadBalancer.ingress[].ip</c> with ipMode VIP.</summary>
    public ImmutableArray<IpAddr> LoadBalancerIPs { get; init; } = [];

    /// <summary>
    /// Who may use <see cref="LoadBalancerIPs"/>: disjoint sorted ranges; empty for everybody, unless
    /// <see cref="SourcesUnreadable"/>.
    /// </summary>
    public ImmutableArray<IpRange> SourceRanges { get; init; } = [];

    /// <summary><c>spec.loadBalancerSourceRanges</c> as they are, in the order of the object; empty when <see cref="SourceRanges"/> is.</summary>
    public ImmutableArray<Cidr> SourceBlocks { get; init; } = [];

    /// <summary>
    /// Source ranges are asked for, but those that could be read say nothing of this family: nobody may use
    /// <see cref="LoadBalancerIPs"/>, because a typing error must not open a service to the world.
    /// </summary>
    public bool SourcesUnreadable { get; init; }

    /// <inheritdoc/>
    public bool Equals(ServiceAddresses? other) => other is not null && ClusterIP == other.ClusterIP
        && ExternalIPs.AsSpan().SequenceEqual(other.ExternalIPs.AsSpan())
        && LoadBalancerIPs.AsSpan().SequenceEqual(other.LoadBalancerIPs.AsSpan())
        && SourceRanges.AsSpan().SequenceEqual(other.SourceRanges.AsSpan())
        && SourceBlocks.AsSpan().SequenceEqual(other.SourceBlocks.AsSpan())
        && SourcesUnreadable == other.SourcesUnreadable;

    /// <inheritdoc/>
    public override int GetHashCode() => ClusterIP.GetHashCode();
}
