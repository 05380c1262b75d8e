using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>Plans to test backends with. Services are 10.96.0.0/12 or fd00:10:96::/112, pods 10.244.0.0/16.</summary>
internal static class Plans
{
    public static ServicePortName Name(string name, Protocol protocol = Protocol.Tcp) => new(new NamespacedName("default", name), "http", protocol);

    public static ImmutableArray<IpEndpoint> Endpoints(params int[] pods) =>
        [.. pods.Select(pod => new IpEndpoint(IpAddr.Parse($"10.244.{pod / 250}.{(pod % 250) + 1}"), 8080)).Order()];

    public static ServicePortPlan ClusterIp(string name, string address, params int[] pods) => new()
    {
        Name = Name(name),
        Family = IpFamily.IPv4,
        Frontends = [Frontend(FrontendKind.ClusterIP, address, 80, pods.Length == 0 ? Destination.Reject : Destination.ClusterEndpoints)],
        ClusterEndpoints = Endpoints(pods),
    };

    public static Frontend Frontend(FrontendKind kind, string? address, ushort port, Destination destination, Protocol protocol = Protocol.Tcp) => new()
    {
        Key = new FrontendKey(address is null ? null : IpAddr.Parse(address), protocol, port),
        Kind = kind,
        Destination = destination,
    };

    public static NodePlan Node(IpFamily family = IpFamily.IPv4) => new()
    {
        Family = family,
        ServiceCidrs = [Cidr.Parse(family == IpFamily.IPv4 ? "10.96.0.0/12" : "fd00:10:96::/112")],
    };

    /// <summary>One service of every kind that makes a difference to the rules.</summary>
    public static ImmutableArray<ServicePortPlan> EveryKind()
    {
        var balancer = Frontend(FrontendKind.LoadBalancerIP, "198.18.20.1", 80, Destination.LocalEndpoints) with
        {
            ShortCircuit = true,
            AllowedSources = [new IpRange(IpAddr.Parse("203.0.113.0"), IpAddr.Parse("203.0.113.127")), new IpRange(IpAddr.Parse("203.0.113.200"), IpAddr.Parse("203.0.113.200"))],
        };
        return
        [
            ClusterIp("cluster", "10.96.0.10", 1, 2, 3),
            ClusterIp("empty", "10.96.0.11"),
            new()
            {
                Name = Name("external"),
                Family = IpFamily.IPv4,
                Frontends =
                [
                    Frontend(FrontendKind.ClusterIP, "10.96.0.12", 80, Destination.ClusterEndpoints),
                    Frontend(FrontendKind.ExternalIP, "198.18.10.1", 80, Destination.ClusterEndpoints) with { Masquerade = true },
                    Frontend(FrontendKind.NodePort, null, 30080, Destination.ClusterEndpoints) with { Masquerade = true },
                ],
                ClusterEndpoints = Endpoints(1, 300),
                HairpinAddresses = [IpAddr.Parse("10.244.0.2")],
            },
            new()
            {
                Name = Name("local"),
                Family = IpFamily.IPv4,
                Frontends =
                [
                    Frontend(FrontendKind.ClusterIP, "10.96.0.13", 80, Destination.ClusterEndpoints),
                    balancer,
                    Frontend(FrontendKind.NodePort, null, 30081, Destination.LocalEndpoints) with { ShortCircuit = true },
                ],
                ClusterEndpoints = Endpoints(1, 300),
                LocalEndpoints = Endpoints(1),
            },
            new()
            {
                Name = Name("elsewhere"),
                Family = IpFamily.IPv4,
                Frontends =
                [
                    Frontend(FrontendKind.ClusterIP, "10.96.0.14", 80, Destination.Drop),
                    Frontend(FrontendKind.NodePort, null, 30082, Destination.Drop) with { ShortCircuit = true },
                ],
                ClusterEndpoints = Endpoints(300),
            },
            new()
            {
                Name = Name("sticky"),
                Family = IpFamily.IPv4,
                AffinityTimeout = TimeSpan.FromHours(3),
                Frontends =
                [
                    Frontend(FrontendKind.ClusterIP, "10.96.0.15", 80, Destination.ClusterEndpoints),
                    Frontend(FrontendKind.NodePort, null, 30083, Destination.ClusterEndpoints) with { Masquerade = true },
                ],
                ClusterEndpoints = Endpoints(1, 2),
            },
        ];
    }

    /// <summary>The same in IPv6: <c>10.96.0.10</c> becomes <c>fd00:10:96::0:10</c>.</summary>
    public static ServicePortPlan ToIPv6(this ServicePortPlan plan) => plan with
    {
        Family = IpFamily.IPv6,
        Frontends = [.. plan.Frontends.Select(frontend => frontend with
        {
            Key = frontend.Key with { Address = frontend.Key.Address is { } address ? ToIPv6(address) : null },
            AllowedSources = [.. frontend.AllowedSources.Select(range => new IpRange(ToIPv6(range.First), ToIPv6(range.Last)))],
        })],
        ClusterEndpoints = ToIPv6(plan.ClusterEndpoints),
        LocalEndpoints = ToIPv6(plan.LocalEndpoints),
        ServingEndpoints = ToIPv6(plan.ServingEndpoints),
        HairpinAddresses = [.. plan.HairpinAddresses.Select(ToIPv6).Order()],
    };

    /// <summary>One service of every kind, in either family.</summary>
    public static ImmutableArray<ServicePortPlan> EveryKind(IpFamily family) =>
        family == IpFamily.IPv4 ? EveryKind() : [.. EveryKind().Select(ToIPv6)];

    /// <summary>Pods are local traffic.</summary>
    public static MasqueradePolicy Policy(IpFamily family) =>
        new() { LocalDetector = new LocalTrafficDetector.Source(Cidr.Parse(family == IpFamily.IPv4 ? "10.244.0.0/16" : "fd00:10:244::/48")) };

    private static ImmutableArray<IpEndpoint> ToIPv6(ImmutableArray<IpEndpoint> endpoints) =>
        [.. endpoints.Select(endpoint => new IpEndpoint(ToIPv6(endpoint.Address), endpoint.Port)).Order()];

    private static IpAddr ToIPv6(IpAddr address)
    {
        var parts = address.ToString().Split('.');
        return IpAddr.Parse($"fd00:{parts[0]}:{parts[1]}::{parts[2]}:{parts[3]}");
    }
}
