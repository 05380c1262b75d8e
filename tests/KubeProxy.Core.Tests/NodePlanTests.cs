using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

public class NodePlanTests
{
    private static string Text(IEnumerable<Cidr> blocks) => string.Join(' ', blocks);

    [Theory]
    [InlineData("", "", "")]
    [InlineData("10.0.0.0/8", "10.0.0.0/8", "")]
    [InlineData("192.0.2.0/24 10.0.0.0/8 10.0.0.0/8", "10.0.0.0/8 192.0.2.0/24", "")]
    [InlineData("10.0.0.0/8 fd00::/8", "10.0.0.0/8", "fd00::/8")]
    [InlineData("10.0.0.0/8 0.0.0.0/0 fd00::/8", "", "fd00::/8")]
    [InlineData("primary", "203.0.113.11/32", "")]
    [InlineData("primary primary", "203.0.113.11/32", "")]
    [InlineData("10.0.0.0/8 primary", "10.0.0.0/8 203.0.113.11/32", "")]
    [InlineData("primary 203.0.113.11/32 fd00::/8", "203.0.113.11/32", "fd00::/8")]
    [InlineData("localhost", "127.0.0.0/8", "::1/128")]
    [InlineData("localhost localhost 127.0.0.0/8 fd00::/8", "127.0.0.0/8", "::1/128 fd00::/8")]
    [InlineData("primary localhost", "127.0.0.0/8 203.0.113.11/32", "::1/128")]
    [InlineData("all", "", "")]
    [InlineData("all primary localhost 10.0.0.0/8", "", "")]
    public void Node_port_addresses(string entries, string v4, string v6)
    {
        var addresses = NodePortAddresses.Parse(entries.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var node = new NodeTopology(null, IpAddr.Parse("203.0.113.11"));
        Assert.Equal(v4, Text(addresses.Resolve(IpFamily.IPv4, node)));
        Assert.Equal(v6, Text(addresses.Resolve(IpFamily.IPv6, node)));
    }

    [Fact]
    public void Pod_blocks_of_this_node_that_are_none_are_named()
    {
        var node = new Node
        {
            Metadata = new ObjectMeta { Name = Objects.Options.NodeName },
            Spec = new NodeSpec { PodCidrs = ["10.244.0.0/24", "10.244.0/24", "fd00:10:244::/64", ""] },
        };
        Assert.Equal(
            [
                $"Node {Objects.Options.NodeName} spec.podCIDRs[1]: '10.244.0/24' is not an address block, and is ignored",
                $"Node {Objects.Options.NodeName} spec.podCIDRs[3]: '' is not an address block, and is ignored",
            ],
            new TestCluster(null, node).Complaints());
    }

    [Fact]
    public void A_loopback_primary_address_counts_as_none() => Assert.Empty(
        NodePortAddresses.Parse(["primary"]).Resolve(IpFamily.IPv4, new NodeTopology(null, IpAddr.Parse("127.0.0.1"))));

    [Theory]
    [InlineData("primary", "Primary")]
    [InlineData("localhost", "ALL")]
    [InlineData("10.0.0.0", null)]
    [InlineData("", null)]
    public void Entries_that_make_no_sense_are_refused(string first, string? second) =>
        Assert.Throws<FormatException>(() => NodePortAddresses.Parse(second is null ? [first] : [first, second]));

    [Theory]
    [InlineData("localhost", true, true)]
    [InlineData("primary localhost 10.0.0.0/8", true, true)]
    [InlineData("all localhost", true, true)]
    [InlineData("127.0.0.0/8", true, false)]
    [InlineData("127.0.0.1/32", true, false)]
    [InlineData("127.0.0.0/31", true, false)]
    [InlineData("::1/128", false, true)]
    [InlineData("127.0.0.2/32", false, false)]
    [InlineData("126.0.0.0/7", false, false)] // Holds more than loopback addresses.
    [InlineData("::/127", false, false)]
    [InlineData("all", false, false)]
    [InlineData("0.0.0.0/0 ::/0", false, false)]
    [InlineData("primary", false, false)]
    [InlineData("", false, false)]
    public void Whether_localhost_is_asked_for_by_name(string entries, bool v4, bool v6)
    {
        var addresses = NodePortAddresses.Parse(entries.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((v4, v6), (addresses.NamesLocalhost(IpFamily.IPv4), addresses.NamesLocalhost(IpFamily.IPv6)));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("all", true)]
    [InlineData("primary", false)]
    [InlineData("primary localhost", true)]
    [InlineData("primary fd00::/8", false)]
    [InlineData("fd00::/8", true)] // No IPv4 block: IPv4 is open everywhere.
    [InlineData("10.0.0.0/8", false)]
    [InlineData("10.0.0.0/8 127.0.0.0/8", true)]
    public void Whether_loopback_is_among_them(string entries, bool expected) => Assert.Equal(
        expected, NodePortAddresses.Parse(entries.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Includes(IpAddr.Parse("127.0.0.1")));

    [Theory]
    [InlineData("ExternalIP 198.51.100.1,InternalIP 203.0.113.11,InternalIP 203.0.113.12", "", "203.0.113.11", null)]
    [InlineData("Hostname node1,ExternalIP 198.51.100.1,InternalIP fd00::1", "", "198.51.100.1", "fd00::1")]
    [InlineData("InternalIP 203.0.113.11", "192.0.2.1", "192.0.2.1", null)] // Given ones win.
    [InlineData("InternalIP 203.0.113.11", "fd00::1", "203.0.113.11", "fd00::1")]
    [InlineData("", "", null, null)]
    public void Addresses_of_the_node(string addresses, string given, string? v4, string? v6)
    {
        var node = Node() with
        {
            Status = new NodeStatus
            {
                Addresses = [.. addresses.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(a => new NodeAddress { Type = a.Split(' ')[0], Address = a.Split(' ')[1] })],
            },
        };
        var options = Options with { NodeAddresses = [.. given.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IpAddr.Parse)] };
        var topology = new TestCluster(options, node).State.Read(trackers => trackers.Node.Topology);
        Assert.Equal(v4, topology.IPv4?.ToString());
        Assert.Equal(v6, topology.IPv6?.ToString());
    }

    [Fact]
    public void Service_cidrs_are_sorted_and_counted_once()
    {
        static ServiceCIDR Blocks(string name, params string[] cidrs) => new() { Metadata = new() { Name = name }, Spec = new() { Cidrs = cidrs } };
        var cluster = new TestCluster(null, Blocks("a", "10.112.0.0/16", "10.96.0.0/12"), Blocks("b", "10.96.0.0/12", "fd00::/108", "junk"));
        Assert.Equal("10.96.0.0/12 10.112.0.0/16", Text(cluster.Take().Node!.ServiceCidrs));
        Assert.Equal("fd00::/108", Text(cluster.Take(IpFamily.IPv6).Node!.ServiceCidrs));
        Assert.Equal("spec.cidrs[2]", Assert.Single(cluster.Problems).Field);
        cluster.State.Delete(ObjectKind.ServiceCIDR, new("", "a"));
        Assert.Equal("10.96.0.0/12", Text(cluster.Take().Node!.ServiceCidrs)); // Still in the other one.
    }

    [Fact]
    public void Ranges_are_merged()
    {
        static string Merge(params string[] cidrs) => string.Join(' ', IpRanges.Normalize(cidrs.Select(text => IpRange.From(Cidr.Parse(text)))));
        Assert.Equal("", Merge());
        Assert.Equal("10.0.0.0-10.0.1.255", Merge("10.0.1.0/24", "10.0.0.0/24", "10.0.0.128/25"));
        Assert.Equal("10.0.0.0-10.0.0.255 10.0.2.0-10.0.2.255", Merge("10.0.2.0/24", "10.0.0.0/24"));
        Assert.Equal("0.0.0.0-255.255.255.255", Merge("0.0.0.0/1", "128.0.0.0/1", "255.255.255.255/32"));
        Assert.Equal("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Merge("::/1", "8000::/1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"));
    }
}
