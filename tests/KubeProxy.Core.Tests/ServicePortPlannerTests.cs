using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

/// <summary>Every rule of what a Service means, from objects to plan.</summary>
public class ServicePortPlannerTests
{
    // Shorthand for endpoint sets: name -> endpoints. l = on this node, r = elsewhere.
    private static Endpoint[] Set(string set) => set switch
    {
        "none" => [],
        "notready" => [At("10.0.0.1", Node1, ready: false), At("10.0.0.2", ready: false)],
        "local+remote" => [At("10.0.0.1", Node1), At("10.0.0.2")],
        "remote" => [At("10.0.0.2")],
        "local" => [At("10.0.0.1", Node1)],
        "unknown-conditions" => [At("10.0.0.1", Node1, ready: null)],
        "local-terminating+remote" => [At("10.0.0.1", Node1, ready: false, serving: true, terminating: true), At("10.0.0.2")],
        "all-terminating" =>
        [
            At("10.0.0.1", Node1, ready: false, serving: true, terminating: true),
            At("10.0.0.2", ready: false, serving: true, terminating: true),
        ],
        "remote-terminating" => [At("10.0.0.2", ready: false, serving: true, terminating: true)],
        "terminating-not-serving" => [At("10.0.0.1", Node1, ready: false, serving: false, terminating: true)],
        _ => throw new ArgumentOutOfRangeException(nameof(set)),
    };

    private static string Text(IEnumerable<IpEndpoint> endpoints) => string.Join(' ', endpoints);

    [Theory]
    [InlineData("none", "Reject", "")]
    [InlineData("notready", "Reject", "")]
    [InlineData("local+remote", "ClusterEndpoints", "10.0.0.1:8080 10.0.0.2:8080")]
    [InlineData("unknown-conditions", "ClusterEndpoints", "10.0.0.1:8080")]
    [InlineData("local-terminating+remote", "ClusterEndpoints", "10.0.0.2:8080")]
    [InlineData("all-terminating", "ClusterEndpoints", "10.0.0.1:8080 10.0.0.2:8080")]
    [InlineData("terminating-not-serving", "Reject", "")]
    public void ClusterIP_with_policy_Cluster(string set, string destination, string endpoints)
    {
        var plan = new TestCluster(null, Service("web", "10.96.0.1"), Slice("web-a", "web", Set(set))).Plan("web");

        var frontend = Assert.Single(plan.Frontends);
        Assert.Equal("10.96.0.1:80/tcp", frontend.Key.ToString());
        Assert.Equal(FrontendKind.ClusterIP, frontend.Kind);
        Assert.Equal(destination, frontend.Destination.ToString());
        Assert.False(frontend.Masquerade);
        Assert.False(frontend.ShortCircuit);
        Assert.Equal(endpoints, Text(plan.ClusterEndpoints));
        Assert.Empty(plan.LocalEndpoints);
    }

    [Theory]
    [InlineData("none", "Reject", "")]
    [InlineData("notready", "Reject", "")]
    [InlineData("local+remote", "LocalEndpoints", "10.0.0.1:8080")]
    [InlineData("remote", "Drop", "")]
    [InlineData("remote-terminating", "Drop", "")]
    [InlineData("local-terminating+remote", "LocalEndpoints", "10.0.0.1:8080")]
    [InlineData("all-terminating", "LocalEndpoints", "10.0.0.1:8080")]
    [InlineData("terminating-not-serving", "Reject", "")]
    public void ClusterIP_with_policy_Local(string set, string destination, string endpoints)
    {
        var service = Service("web", "10.96.0.1", spec => spec with { InternalTrafficPolicy = "Local" });
        var plan = new TestCluster(null, service, Slice("web-a", "web", Set(set))).Plan("web");

        Assert.Equal(destination, Assert.Single(plan.Frontends).Destination.ToString());
        Assert.Equal(endpoints, Text(plan.LocalEndpoints));
        Assert.Empty(plan.ClusterEndpoints);
    }

    [Theory]
    [InlineData("none", "Reject", false, false)]
    [InlineData("local+remote", "ClusterEndpoints", true, false)]
    [InlineData("remote", "ClusterEndpoints", true, false)]
    public void External_with_policy_Cluster(string set, string destination, bool masquerade, bool shortCircuit)
    {
        foreach (var frontend in External("Cluster", set).Frontends.Where(f => f.Kind != FrontendKind.ClusterIP))
        {
            Assert.Equal(destination, frontend.Destination.ToString());
            Assert.Equal(masquerade, frontend.Masquerade);
            Assert.Equal(shortCircuit, frontend.ShortCircuit);
        }
    }

    [Theory]
    [InlineData("none", "Reject", false, "", "")]
    [InlineData("notready", "Reject", false, "", "")]
    [InlineData("local+remote", "LocalEndpoints", true, "10.0.0.1:8080 10.0.0.2:8080", "10.0.0.1:8080")]
    [InlineData("remote", "Drop", true, "10.0.0.2:8080", "")]
    [InlineData("local-terminating+remote", "LocalEndpoints", true, "10.0.0.2:8080", "10.0.0.1:8080")]
    [InlineData("remote-terminating", "Drop", true, "10.0.0.2:8080", "")]
    public void External_with_policy_Local(string set, string destination, bool shortCircuit, string cluster, string local)
    {
        var plan = External("Local", set);
        foreach (var frontend in plan.Frontends.Where(f => f.Kind != FrontendKind.ClusterIP))
        {
            Assert.Equal(destination, frontend.Destination.ToString());
            Assert.False(frontend.Masquerade);
            Assert.Equal(shortCircuit, frontend.ShortCircuit);
        }

        Assert.Equal(cluster, Text(plan.ClusterEndpoints));
        Assert.Equal(local, Text(plan.LocalEndpoints));
    }

    [Fact]
    public void Both_policies_Local_keep_cluster_endpoints_for_the_short_circuit()
    {
        var plan = External("Local", "local+remote", internalPolicy: "Local");
        Assert.Equal(Destination.LocalEndpoints, plan.Frontends.Single(f => f.Kind == FrontendKind.ClusterIP).Destination);
        Assert.Equal("10.0.0.1:8080 10.0.0.2:8080", Text(plan.ClusterEndpoints));
        Assert.Equal("10.0.0.1:8080", Text(plan.LocalEndpoints));
        Assert.Equal("10.0.0.1", string.Join(' ', plan.HairpinAddresses));
    }

    [Fact]
    public void Every_kind_of_frontend_is_planned()
    {
        var plan = External("Cluster", "local+remote");
        Assert.Equal(
            ["10.96.0.1:80/tcp ClusterIP", "198.18.1.1:80/tcp ExternalIP", "198.18.2.1:80/tcp LoadBalancerIP", "node port 30080/tcp NodePort"],
            plan.Frontends.Select(f => $"{f.Key} {f.Kind}"));
    }

    [Theory]
    [InlineData("ClusterIP", null, false)] // Nothing external: the policy has no meaning.
    [InlineData("ClusterIP", "198.18.1.1", true)]
    [InlineData("NodePort", null, true)]
    [InlineData("LoadBalancer", null, true)]
    public void External_policy_Local_needs_a_Service_that_is_reached_from_outside(string type, string? externalIP, bool local)
    {
        var service = Service("web", "10.96.0.1", spec => spec with
        {
            Type = type,
            ExternalTrafficPolicy = "Local",
            ExternalIPs = externalIP is null ? [] : [externalIP],
            Ports = [new ServicePort { Port = 80, NodePort = 30080 }],
        });
        var plan = new TestCluster(null, service, Slice("web-a", "web", Set("local+remote"))).Plan("web");
        Assert.Equal(local ? Destination.LocalEndpoints : Destination.ClusterEndpoints, plan.Frontends.Single(f => f.Kind == FrontendKind.NodePort).Destination);
    }

    [Fact]
    public void An_address_named_twice_is_planned_once_as_the_first_kind()
    {
        var service = Service("web", "10.96.0.1", spec => spec with { ExternalIPs = ["10.96.0.1", "198.18.1.1", "198.18.1.1"] }).WithIngress("198.18.1.1");
        var plan = new TestCluster(null, service).Plan("web");
        Assert.Equal(["10.96.0.1:80/tcp ClusterIP", "198.18.1.1:80/tcp ExternalIP"], plan.Frontends.Select(f => $"{f.Key} {f.Kind}"));
    }

    [Theory]
    // Every ready endpoint has a hint and one is for this node's zone.
    [InlineData("zone-a", "a|b", "10.0.0.1")]
    [InlineData("zone-b", "a|b", "10.0.0.2")]
    [InlineData("zone-b", "a|ab", "10.0.0.2")]
    [InlineData("zone-c", "a|b", "10.0.0.1 10.0.0.2")] // None for us.
    [InlineData(null, "a|b", "10.0.0.1 10.0.0.2")] // Zone unknown.
    [InlineData("zone-a", "a|", "10.0.0.1 10.0.0.2")] // One without a hint.
    [InlineData("zone-a", "|", "10.0.0.1 10.0.0.2")]
    public void Zone_hints(string? zone, string hints, string expected)
    {
        var zones = hints.Split('|').Select(set => set.Length == 0 ? null : set.Select(letter => $"zone-{letter}").ToArray()).ToArray();
        var slice = Slice("web-a", "web", At("10.0.0.1", Node1, zones: zones[0]), At("10.0.0.2", zones: zones[1]));
        var plan = new TestCluster(null, Node(zone), Service("web", "10.96.0.1"), slice).Plan("web");
        Assert.Equal(expected, string.Join(' ', plan.ClusterEndpoints.Select(e => e.Address)));
    }

    [Fact]
    public void Hints_of_endpoints_that_are_not_ready_do_not_count()
    {
        var slice = Slice("web-a", "web", At("10.0.0.1", zones: ["zone-a"]), At("10.0.0.2", zones: ["zone-b"]), At("10.0.0.3", ready: false));
        var plan = new TestCluster(null, Node("zone-a"), Service("web", "10.96.0.1"), slice).Plan("web");
        Assert.Equal("10.0.0.1:8080", Text(plan.ClusterEndpoints));
    }

    [Fact]
    public void Terminating_fallback_ignores_hints()
    {
        var slice = Slice("web-a", "web",
            At("10.0.0.1", ready: false, serving: true, terminating: true, zones: ["zone-a"]),
            At("10.0.0.2", ready: false, serving: true, terminating: true, zones: ["zone-b"]));
        var plan = new TestCluster(null, Node("zone-a"), Service("web", "10.96.0.1"), slice).Plan("web");
        Assert.Equal("10.0.0.1:8080 10.0.0.2:8080", Text(plan.ClusterEndpoints));
    }

    [Fact]
    public void Node_hints_go_before_zone_hints()
    {
        var slice = Slice("web-a", "web",
            At("10.0.0.1", zones: ["zone-a"], nodes: [Node1]), At("10.0.0.2", zones: ["zone-a"], nodes: ["node2"]));
        var plan = new TestCluster(null, Node("zone-a"), Service("web", "10.96.0.1"), slice).Plan("web");
        Assert.Equal("10.0.0.1:8080", Text(plan.ClusterEndpoints));
    }

    [Theory]
    [InlineData("node2", "node3")] // None for us.
    [InlineData("node1", null)] // One without.
    public void Node_hints_that_do_not_apply_fall_back_to_zones(string first, string? second)
    {
        var slice = Slice("web-a", "web",
            At("10.0.0.1", zones: ["zone-b"], nodes: [first]), At("10.0.0.2", zones: ["zone-a"], nodes: second is null ? null : [second]));
        var plan = new TestCluster(null, Node("zone-a"), Service("web", "10.96.0.1"), slice).Plan("web");
        Assert.Equal("10.0.0.2:8080", Text(plan.ClusterEndpoints));
    }

    [Fact]
    public void Local_policy_ignores_hints()
    {
        var service = Service("web", "10.96.0.1", spec => spec with { InternalTrafficPolicy = "Local" });
        var slice = Slice("web-a", "web", At("10.0.0.1", Node1, zones: ["zone-b"]), At("10.0.0.2", zones: ["zone-a"]));
        var plan = new TestCluster(null, Node("zone-a"), service, slice).Plan("web");
        Assert.Equal("10.0.0.1:8080", Text(plan.LocalEndpoints));
    }

    [Theory]
    [InlineData("", "203.0.113.11", "")]
    [InlineData("10.0.0.0/8", null, "10.0.0.0-10.255.255.255")]
    [InlineData(" 10.0.0.0/8 ", "203.0.113.11", "10.0.0.0-10.255.255.255")]
    [InlineData("10.0.0.0/8 10.1.0.0/16 11.0.0.0/8", "203.0.113.11", "10.0.0.0-11.255.255.255")]
    [InlineData("10.0.0.0/8 0.0.0.0/0", "203.0.113.11", "")]
    [InlineData("10.0.0.0/8 fd00::/8", "203.0.113.11", "10.0.0.0-10.255.255.255")]
    [InlineData("fd00::/8", "203.0.113.11", "")] // Says nothing of IPv4.
    [InlineData("203.0.113.0/24 192.0.2.1/32", "203.0.113.11", "192.0.2.1-192.0.2.1 198.18.2.1-198.18.2.2 203.0.113.0-203.0.113.255")]
    [InlineData("10.0.0.0/8 junk", "203.0.113.11", "10.0.0.0-10.255.255.255")]
    [InlineData("junk", "203.0.113.11", "198.18.2.1-198.18.2.2")] // Closed to everybody else.
    public void Source_ranges(string ranges, string? nodeAddress, string expected)
    {
        var list = ranges.Trim().Length == 0 ? [] : ranges.Trim() == "10.0.0.0/8" ? [ranges] : ranges.Split(' ');
        var service = Service("web", "10.96.0.1", spec => spec with { Type = "LoadBalancer", LoadBalancerSourceRanges = list, ExternalIPs = ["198.18.1.1"] },
            new ServicePort { Port = 80, NodePort = 30080 }).WithIngress("198.18.2.1", "198.18.2.2");
        var plan = new TestCluster(null, Node(address: nodeAddress), service).Plan("web");
        Assert.All(plan.Frontends, f => Assert.Equal(f.Kind == FrontendKind.LoadBalancerIP ? expected : "", string.Join(' ', f.AllowedSources)));
    }

    [Theory]
    [InlineData("203.0.113.0/24", "192.0.2.1", "203.0.113.0/24")]
    [InlineData("203.0.113.0/24", "203.0.113.11", "203.0.113.0/24 198.18.2.1/32 198.18.2.2/32")]
    [InlineData("203.0.113.0/24 198.18.2.0/24", "203.0.113.11", "203.0.113.0/24 198.18.2.0/24 198.18.2.1/32 198.18.2.2/32")] // Redundant, like upstream's.
    [InlineData("203.0.113.0/24 203.0.113.0/24", null, "203.0.113.0/24 203.0.113.0/24")]
    [InlineData("0.0.0.0/0 203.0.113.0/24", "203.0.113.11", "")]
    [InlineData("fd00::/8", "203.0.113.11", "")]
    public void Source_blocks_are_as_they_are_written(string ranges, string? nodeAddress, string expected)
    {
        var service = Service("web", "10.96.0.1", spec => spec with { Type = "LoadBalancer", LoadBalancerSourceRanges = ranges.Split(' ') })
            .WithIngress("198.18.2.1", "198.18.2.2");
        Assert.Equal(expected, string.Join(' ', new TestCluster(null, Node(address: nodeAddress), service).Plan("web").SourceBlocks));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("VIP", true)]
    [InlineData("Proxy", false)]
    public void Load_balancer_ipMode(string? mode, bool served)
    {
        var service = Service("web", "10.96.0.1") with
        {
            Status = new ServiceStatus { LoadBalancer = new() { Ingress = [new() { IP = "198.18.2.1", IPMode = mode }, new() { IP = null }] } },
        };
        Assert.Equal(served, new TestCluster(null, service).Plan("web").Frontends.Any(f => f.Kind == FrontendKind.LoadBalancerIP));
    }

    [Fact]
    public void Hairpins_are_the_addresses_on_this_node_that_are_in_use()
    {
        var slice = Slice("web-a", "web", At("10.0.0.3", Node1), At("10.0.0.1", Node1), At("10.0.0.2"), At("10.0.0.4", Node1, ready: false));
        var plan = new TestCluster(null, Service("web", "10.96.0.1"), slice).Plan("web");
        Assert.Equal("10.0.0.1 10.0.0.3", string.Join(' ', plan.HairpinAddresses));
    }

    [Theory]
    [InlineData("UDP", "10.0.0.1:53 10.0.0.2:53")]
    [InlineData("SCTP", "10.0.0.1:53 10.0.0.2:53")]
    [InlineData("TCP", "")]
    public void Every_serving_endpoint_is_named_unless_connections_end_by_themselves(string protocol, string expected)
    {
        var service = Service("dns", "10.96.0.10", port: new ServicePort { Name = "", Protocol = protocol, Port = 53 });
        var slice = Slice("dns-a", "dns", At("10.0.0.1"), At("10.0.0.2", ready: false, serving: true, terminating: true), At("10.0.0.3", ready: false));
        slice = slice with { Ports = [new EndpointPort { Name = "", Protocol = protocol, Port = 53 }] };
        var plan = new TestCluster(null, service, slice).Plan("dns");
        Assert.Equal("10.0.0.1:53", Text(plan.ClusterEndpoints));
        Assert.Equal(expected, Text(plan.ServingEndpoints));
    }

    [Fact]
    public void Affinity_and_age_are_taken_over()
    {
        var created = new DateTimeOffset(2025, 5, 5, 5, 5, 5, TimeSpan.Zero);
        var service = Service("web", "10.96.0.1", spec => spec with
        {
            SessionAffinity = "ClientIP",
            SessionAffinityConfig = new() { ClientIP = new() { TimeoutSeconds = 60 } },
        });
        var plan = new TestCluster(null, service with { Metadata = service.Metadata with { CreationTimestamp = created } }).Plan("web");
        Assert.Equal(TimeSpan.FromSeconds(60), plan.AffinityTimeout);
        Assert.Equal(created, plan.CreatedAt);
    }

    private static ServicePortPlan External(string policy, string set, string internalPolicy = "Cluster")
    {
        var service = Service("web", "10.96.0.1", spec => spec with
        {
            Type = "LoadBalancer",
            InternalTrafficPolicy = internalPolicy,
            ExternalTrafficPolicy = policy,
            ExternalIPs = ["198.18.1.1"],
        }, new ServicePort { Port = 80, NodePort = 30080 }).WithIngress("198.18.2.1");
        return new TestCluster(null, service, Slice("web-a", "web", Set(set))).Plan("web");
    }
}
