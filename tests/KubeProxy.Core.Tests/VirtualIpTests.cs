using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

/// <summary>External and load-balancer IPs that a Service had better not have.</summary>
public class VirtualIpTests
{
    private static readonly Node Other = new()
    {
        Metadata = new ObjectMeta { Name = "node2" },
        Status = new NodeStatus { Addresses = [new NodeAddress { Type = "InternalIP", Address = "192.0.2.2" }, new NodeAddress { Type = "Hostname", Address = "node2" }] },
    };

    [Fact]
    public void Addresses_of_other_nodes_are_a_problem_and_stay_where_they_do_no_harm()
    {
        var cluster = new TestCluster(null, Other, Node(address: "192.0.2.1"), External("192.0.2.2", "192.0.2.1"), Slice("web-1", "web", At("10.0.0.1")));
        Assert.Equal(["10.96.0.10", "192.0.2.1", "192.0.2.2"], Addresses(cluster));
        Assert.Equal(
            ["Service default/web spec.externalIPs: port '': 192.0.2.2 is an address of Node node2: from this node, port 80/tcp of it leads to the Service and not there"],
            cluster.Complaints());
    }

    [Fact]
    public void Where_they_would_become_this_nodes_they_are_left_out_until_the_node_is_gone()
    {
        var options = Options with { VirtualIpsBecomeLocal = true };
        var cluster = new TestCluster(options, Other, Node(address: "192.0.2.1"), External("192.0.2.2", "192.0.2.1"), Slice("web-1", "web", At("10.0.0.1")));
        Assert.Equal(["10.96.0.10", "192.0.2.1"], Addresses(cluster));
        Assert.Contains("could not be reached from this node", Assert.Single(cluster.Complaints()), StringComparison.Ordinal);

        cluster.State.Delete(ObjectKind.Node, new NamespacedName("", "node2"));
        Assert.Equal(["10.96.0.10", "192.0.2.1", "192.0.2.2"], Addresses(cluster));
        Assert.Empty(cluster.Complaints());

        cluster.State.Upsert(Other);
        Assert.Equal(["10.96.0.10", "192.0.2.1"], Addresses(cluster));
        cluster.State.DeleteOthers(ObjectKind.Node, [new NamespacedName("", Node1)]);
        Assert.Equal(["10.96.0.10", "192.0.2.1", "192.0.2.2"], Addresses(cluster));
    }

    [Fact]
    public void The_api_server_keeps_its_addresses()
    {
        var options = Options with { VirtualIpsBecomeLocal = true };
        var cluster = new TestCluster(options, Service("web", "10.96.0.10").WithIngress("192.0.2.9"), Slice("web-1", "web", At("10.0.0.1")));
        Assert.Equal(["10.96.0.10", "192.0.2.9"], Addresses(cluster));
        cluster.State.Upsert(Slice("kubernetes", "kubernetes", At("192.0.2.9")));
        Assert.Equal(["10.96.0.10"], Addresses(cluster));
        Assert.Contains("192.0.2.9 is an address of the API server", Assert.Single(cluster.Complaints()), StringComparison.Ordinal);
        cluster.State.Delete(ObjectKind.EndpointSlice, Named("kubernetes"));
        Assert.Equal(["10.96.0.10", "192.0.2.9"], Addresses(cluster));
    }

    [Fact]
    public void What_lies_outside_of_the_ranges_is_not_in_force()
    {
        var options = Options with { VirtualIpRanges = [Range("198.51.100.0/24"), Range("203.0.113.10-203.0.113.20")] };
        var service = External("198.51.100.7", "192.0.2.1").WithIngress("203.0.113.20", "203.0.113.21");
        var cluster = new TestCluster(options, service, Slice("web-1", "web", At("10.0.0.1")));
        Assert.Equal(["10.96.0.10", "198.51.100.7", "203.0.113.20"], Addresses(cluster));
        Assert.Equal(2, cluster.Complaints().Length);
        Assert.All(cluster.Complaints(), complaint => Assert.EndsWith("(--vip-ranges); it is left out", complaint, StringComparison.Ordinal));

        cluster.State.Delete(ObjectKind.Service, Named("web"));
        Assert.Empty(cluster.Plans());
        Assert.Empty(cluster.Complaints());
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.0.0.0-10.255.255.255")]
    [InlineData(" 192.0.2.10 - 192.0.2.20 ", "192.0.2.10-192.0.2.20")]
    [InlineData("192.0.2.1", "192.0.2.1-192.0.2.1")]
    [InlineData("2001:db8::1-2001:db8::ff", "2001:db8::1-2001:db8::ff")]
    public void Ranges_are_read(string text, string expected) => Assert.Equal(expected, Range(text).ToString());

    [Theory]
    [InlineData("192.0.2.20-192.0.2.10", "ends before it begins")]
    [InlineData("192.0.2.20-2001:db8::1", "begins in one address family and ends in the other")]
    [InlineData("192.0.2.20-", "is not a range")]
    [InlineData("a-b", "is not a range")]
    [InlineData("10.0.0.0/33", "is neither")]
    [InlineData("", "is neither")]
    public void Wrong_ranges_are_explained(string text, string expected)
    {
        Assert.False(IpRange.TryParse(text, out _, out var problem));
        Assert.StartsWith(expected, problem, StringComparison.Ordinal);
    }

    private static Service External(params string[] addresses) => Service("web", "10.96.0.10", spec => spec with { ExternalIPs = addresses });

    private static IpRange Range(string text) => IpRange.TryParse(text, out var range, out _) ? range : throw new FormatException(text);

    private static string[] Addresses(TestCluster cluster) =>
        [.. cluster.Plans().Where(plan => plan.Name.Service == Named("web")).SelectMany(plan => plan.Frontends).Select(frontend => frontend.Key.Address.ToString()!).Order(StringComparer.Ordinal)];
}
