using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>Decides what one port of a Service means on this node. Pure.</summary>
internal static class ServicePortPlanner
{
    /// <summary>Plans a service port for one family, as if no other service claimed its frontends.</summary>
    /// <param name="service">The Service; it has addresses of the family.</param>
    /// <param name="port">One of its ports.</param>
    /// <param name="family">The family.</param>
    /// <param name="endpoints">All endpoints of the port in that family, sorted by target, each target once.</param>
    /// <param name="node">This node.</param>
    /// <exception cref="ArgumentException">The Service has no cluster IP of the family.</exception>
    public static ServicePortPlan Plan(
        ServiceDefinition service, PortDefinition port, IpFamily family, ReadOnlySpan<EndpointState> endpoints, NodeTopology node)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(node);
        if (service.AddressesOf(family) is not { } addresses)
            throw new ArgumentException($"Service {service.Name} has no {family} cluster IP.", nameof(family));

        var selection = new EndpointSelection(endpoints, node.Zone);
        var frontends = FrontendsOf(service, addresses, port, selection, node.AddressOf(family));
        var usesCluster = frontends.Any(frontend => frontend.UsesClusterEndpoints);
        var usesLocal = frontends.Any(frontend => frontend.UsesLocalEndpoints);
        return new ServicePortPlan
        {
            Name = new ServicePortName(service.Name, port.Name, port.Protocol),
            Family = family,
            CreatedAt = service.CreatedAt,
            AffinityTimeout = service.AffinityTimeout,
            Scheduler = service.Scheduler,
            SourceBlocks = SourceBlocksOf(addresses, node.AddressOf(family)),
            HealthCheckNodePort = service.HealthCheckNodePort,
            Frontends = frontends,
            ClusterEndpoints = usesCluster ? selection.ForCluster() : [],
            LocalEndpoints = usesLocal ? selection.ForLocal() : [],
            HairpinAddresses = selection.AddressesThatMayBeHere(usesCluster, usesLocal),
            ServingEndpoints = port.Protocol == Protocol.Tcp ? [] : ServingOf(endpoints),
        };
    }

    private static ImmutableArray<Frontend> FrontendsOf(
        ServiceDefinition service, ServiceAddresses addresses, PortDefinition port, in EndpointSelection selection, IpAddr? nodeAddress)
    {
        var result = new FrontendList(port);
        result.Add(addresses.ClusterIP, InternalFrontend(service, selection));
        if (addresses.ExternalIPs.IsEmpty && addresses.LoadBalancerIPs.IsEmpty && port.NodePort == 0) return result.ToImmutable();

        var external = ExternalFrontend(service, selection);
        foreach (var address in addresses.ExternalIPs) result.Add(address, external with { Kind = FrontendKind.ExternalIP });
        if (!addresses.LoadBalancerIPs.IsEmpty)
        {
            var sources = AllowedSourcesOf(addresses, nodeAddress);
            var restricted = external with { Kind = FrontendKind.LoadBalancerIP, AllowedSources = sources };
            foreach (var address in addresses.LoadBalancerIPs) result.Add(address, restricted);
        }

        if (port.NodePort != 0) result.AddNodePort(external with { Kind = FrontendKind.NodePort });
        return result.ToImmutable();
    }

    private static Frontend InternalFrontend(ServiceDefinition service, in EndpointSelection selection) => new()
    {
        Key = default,
        Kind = FrontendKind.ClusterIP,
        Destination = DestinationOf(service.InternalLocal, selection),
    };

    private static Frontend ExternalFrontend(ServiceDefinition service, in EndpointSelection selection)
    {
        var destination = DestinationOf(service.ExternalLocal, selection);
        return new Frontend
        {
            Key = default,
            Kind = FrontendKind.NodePort,
            Destination = destination,
            Masquerade = destination == Destination.ClusterEndpoints,
            ShortCircuit = service.ExternalLocal && selection.ClusterCount > 0,
        };
    }

    private static Destination DestinationOf(bool localOnly, in EndpointSelection selection)
    {
        if (!localOnly) return selection.ClusterCount > 0 ? Destination.ClusterEndpoints : Destination.Reject;
        if (selection.LocalCount > 0) return Destination.LocalEndpoints;
        return selection.AnyUsable ? Destination.Drop : Destination.Reject;
    }

    /// <summary>
    /// The node itself reaches a load-balancer IP with that very address as its source, so when the node may, the
    /// virtual IPs may.
    /// </summary>
    private static ImmutableArray<IpRange> AllowedSourcesOf(ServiceAddresses addresses, IpAddr? nodeAddress)
    {
        var ranges = addresses.SourceRanges;
        if (ranges.IsEmpty && !addresses.SourcesUnreadable) return [];
        var nodeAllowed = nodeAddress is { } address && ranges.Any(range => range.Contains(address));
        if (!nodeAllowed && !ranges.IsEmpty) return ranges;
        return IpRanges.Normalize(ranges.Concat(addresses.LoadBalancerIPs.Select(vip => new IpRange(vip, vip))));
    }

    /// <summary>
    /// The blocks as they are written, then the virtual IPs that are allowed because the node is. Upstream has these also where
    /// a block holds them already. In IPv6 those are left out: they change nothing, and its recorded rules do not have them.
    /// </summary>
    private static ImmutableArray<Cidr> SourceBlocksOf(ServiceAddresses addresses, IpAddr? nodeAddress)
    {
        var blocks = addresses.LoadBalancerIPs.IsEmpty ? [] : addresses.SourceBlocks;
        if (nodeAddress is not { } node || !Holds(node)) return blocks;
        return blocks.AddRange(addresses.LoadBalancerIPs.Where(vip => vip.Family == IpFamily.IPv4 || !Holds(vip)).Select(Cidr.Single));

        bool Holds(IpAddr address) => blocks.Any(block => block.Contains(address));
    }

    private static ImmutableArray<IpEndpoint> ServingOf(ReadOnlySpan<EndpointState> endpoints)
    {
        var result = ImmutableArray.CreateBuilder<IpEndpoint>(endpoints.Length);
        foreach (ref readonly var endpoint in endpoints)
        {
            if (endpoint.IsServing) result.Add(endpoint.Target);
        }

        return result.ToImmutable();
    }

    /// <summary>The frontends of one service port; of several with one key the first stays.</summary>
    private readonly struct FrontendList(PortDefinition port)
    {
        private readonly ImmutableArray<Frontend>.Builder _frontends = ImmutableArray.CreateBuilder<Frontend>(1);

        public void Add(IpAddr address, Frontend frontend) => Add(new FrontendKey(address, port.Protocol, port.Port), frontend);

        public void AddNodePort(Frontend frontend) => Add(new FrontendKey(null, port.Protocol, port.NodePort), frontend);

        public ImmutableArray<Frontend> ToImmutable() => _frontends.DrainToImmutable();

        private void Add(FrontendKey key, Frontend frontend)
        {
            foreach (var existing in _frontends)
            {
                if (existing.Key == key) return;
            }

            _frontends.Add(frontend with { Key = key });
        }
    }
}
