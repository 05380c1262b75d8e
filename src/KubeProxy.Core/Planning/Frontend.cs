using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>How a destination came to belong to a service port.</summary>
public enum FrontendKind
{
    /// <summary><c>spec.clusterIPs</c>.</summary>
    ClusterIP,

    /// <summary><c>spec.externalIPs</c>.</summary>
    ExternalIP,

    /// <summary><c>status.loadBalancer.ingress[].ip</c>.</summary>
    LoadBalancerIP,

    /// <summary><c>spec.ports[].nodePort</c>, on the node's own addresses.</summary>
    NodePort,
}

/// <summary>What happens to a new connection.</summary>
public enum Destination
{
    /// <summary>Balanced over <see cref="ServicePortPlan.ClusterEndpoints"/>, which is then not empty.</summary>
    ClusterEndpoints,

    /// <summary>Balanced over <see cref="ServicePortPlan.LocalEndpoints"/>, which is then not empty.</summary>
    LocalEndpoints,

    /// <summary>Refused: the service has no usable endpoint anywhere.</summary>
    Reject,

    /// <summary>Dropped silently: policy Local, and the usable endpoints are all on other nodes.</summary>
    Drop,
}

/// <summary>
/// What a destination of packets matches: an address and port, or for a node port (no address) a port on the node's own
/// addresses. Two service ports that want the same key are in conflict.
/// </summary>
/// <param name="Address">The virtual IP; null for a node port.</param>
/// <param name="Protocol">The protocol.</param>
/// <param name="Port">The port, 1 to 65535.</param>
public readonly record struct FrontendKey(IpAddr? Address, Protocol Protocol, ushort Port)
{
    /// <summary>For example <c>10.96.0.10:80/tcp</c> or <c>node port 30080/tcp</c>.</summary>
    public override string ToString() => Address is { } address
        ? $"{new IpEndpoint(address, Port)}/{Protocol.ToLowerName()}"
        : $"node port {Port}/{Protocol.ToLowerName()}";

    /// <inheritdoc/>
    public bool Equals(FrontendKey other) =>
        Port == other.Port && Protocol == other.Protocol && Address.HasValue == other.Address.HasValue
        && Address.GetValueOrDefault() == other.Address.GetValueOrDefault();

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Address.GetValueOrDefault(), ((int)Protocol << 16) | Port);
}

/// <summary>One destination of a service port and what happens to connections made to it.</summary>
public sealed record Frontend
{
    /// <summary>What it matches.</summary>
    public required FrontendKey Key { get; init; }

    /// <summary>How it came to be.</summary>
    public required FrontendKind Kind { get; init; }

    /// <summary>Where a new connection goes, unless <see cref="ShortCircuit"/> applies.</summary>
    public required Destination Destination { get; init; }

    /// <summary>
    /// Whether every connection is masqueraded: external frontends with externalTrafficPolicy Cluster. Cluster IPs are
    /// masqueraded by a rule for all of them (see <see cref="MasqueradePolicy"/>), hairpins always.
    /// </summary>
    public bool Masquerade { get; init; }

    /// <summary>
    /// External frontends with externalTrafficPolicy Local: connections of pods (by the local traffic detector,
    /// not masqueraded) and of the node itself (masqueraded) go to <see cref="ServicePortPlan.ClusterEndpoints"/> instead
    /// (when there are any), because the policy is about traffic from outside of the cluster.
    /// </summary>
    public bool ShortCircuit { get; init; }

    /// <summary>
    /// For load-balancer IPs: when not empty, connections from any other source are dropped. Disjoint, sorted ranges; the
    /// virtual IPs themselves are in it where the node's address is, as upstream does.
    /// </summary>
    public ImmutableArray<IpRange> AllowedSources { get; init; } = [];

    /// <summary>Whether there are endpoints to balance connections over, apart from those of <see cref="ShortCircuit"/>.</summary>
    public bool IsBalanced => Destination is Destination.ClusterEndpoints or Destination.LocalEndpoints;

    /// <summary>Whether connections of anybody lead to <see cref="ServicePortPlan.ClusterEndpoints"/>.</summary>
    public bool UsesClusterEndpoints => ShortCircuit || Destination == Destination.ClusterEndpoints;

    /// <summary>Whether connections of anybody lead to <see cref="ServicePortPlan.LocalEndpoints"/>.</summary>
    public bool UsesLocalEndpoints => Destination == Destination.LocalEndpoints;

    /// <summary>Whether connections of anybody lead to endpoints.</summary>
    public bool HasEndpoints => ShortCircuit || IsBalanced;

    /// <summary>
    /// Whether the endpoints depend on who asks: policy Local for traffic from outside, and not of a cluster IP, whose policy is the
    /// same for everybody.
    /// </summary>
    public bool IsExternalLocal => ShortCircuit || (Kind != FrontendKind.ClusterIP && Destination == Destination.LocalEndpoints);

    /// <inheritdoc/>
    public bool Equals(Frontend? other) => other is not null && Key == other.Key && Kind == other.Kind
        && Destination == other.Destination && Masquerade == other.Masquerade && ShortCircuit == other.ShortCircuit
        && AllowedSources.AsSpan().SequenceEqual(other.AllowedSources.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Key, Kind, Destination, Masquerade, ShortCircuit, AllowedSources.Length);
}
