using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>What the rules need to know of the node and the cluster, for one address family. Compared by value.</summary>
public sealed record NodePlan
{
    /// <summary>The family.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>
    /// The blocks in which a node's address accepts node ports, sorted; empty means every address but loopback.
    /// (<c>nodePortAddresses</c>, with <c>primary</c> already resolved to the node's address.)
    /// </summary>
    public ImmutableArray<Cidr> NodePortAddresses { get; init; } = [];

    /// <summary>
    /// Whether <c>nodePortAddresses</c> names the family's own loopback address, 127.0.0.1 or ::1; see
    /// <see cref="Planning.NodePortAddresses.NamesLocalhost"/>.
    /// </summary>
    public bool NamesLocalhost { get; init; }

    /// <summary>The ServiceCIDRs of the family, sorted: connections to an unallocated address in there are dropped.</summary>
    public ImmutableArray<Cidr> ServiceCidrs { get; init; } = [];

    /// <summary>Whether node ports are asked for on an address of the node.</summary>
    public bool OpensNodePortsOn(IpAddr address) => address.Family == Family
        && (NodePortAddresses.IsEmpty ? !address.IsLoopback : NodePortAddresses.Any(cidr => cidr.Contains(address)));

    /// <inheritdoc/>
    public bool Equals(NodePlan? other) => other is not null && Family == other.Family && NamesLocalhost == other.NamesLocalhost
        && NodePortAddresses.AsSpan().SequenceEqual(other.NodePortAddresses.AsSpan())
        && ServiceCidrs.AsSpan().SequenceEqual(other.ServiceCidrs.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Family, NodePortAddresses.Length, ServiceCidrs.Length);
}
