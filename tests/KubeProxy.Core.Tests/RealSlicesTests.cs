using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

/// <summary>Slices as controllers, operators and people write them.</summary>
public class RealSlicesTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_an_address_that_is_there_twice_the_one_that_works_counts(bool readyFirst)
    {
        // Two pods with the node's address, during an update: the old one is ready until it ends, the new one is not yet.
        var (ready, starting) = (At("10.0.0.1"), At("10.0.0.1", ready: false));
        var cluster = new TestCluster(null, Service("web", "10.96.0.10"), Slice("web-1", "web", readyFirst ? [ready, starting] : [starting, ready]));
        Assert.Equal("10.0.0.1:8080", string.Join(',', cluster.Plan("web").ClusterEndpoints));
    }

    [Fact]
    public void Any_order_of_slices_and_endpoints_gives_the_same_plan()
    {
        var addresses = Gen.Elements("10.0.0.1", "10.0.0.2");
        var endpoints = from address in addresses
                        from ready in Gen.Elements(true, false)
                        from serving in Gen.Elements(true, false)
                        from terminating in Gen.Elements(true, false)
                        from node in Gen.Elements(Node1, "node2", null)
                        select At(address, node, ready, serving, terminating);
        Prop.ForAll(endpoints.ArrayOf(5).ToArbitrary(), Gen.Choose(0, 1000).ToArbitrary(), (all, seed) =>
        {
            var random = new System.Random(seed);
            ServicePortPlan Plan(Endpoint[] order)
            {
                var cut = random.Next(order.Length + 1);
                string[] names = random.Next(2) == 0 ? ["web-a", "web-b"] : ["web-b", "web-a"];
                return new TestCluster(null, Service("web", "10.96.0.10"), Slice(names[0], "web", order[..cut]), Slice(names[1], "web", order[cut..])).Plan("web");
            }

            var shuffled = all.ToArray();
            random.Shuffle(shuffled);
            return Plan(all) == Plan(shuffled);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData("node1", true)]
    [InlineData("Node1", true)]
    [InlineData("node1.example.com", true)]
    [InlineData("node2", false)]
    [InlineData("node10", false)]
    public void A_pod_that_may_be_here_can_reach_itself(string? node, bool mayBeHere)
    {
        var plan = new TestCluster(null, Service("web", "10.96.0.10"), Slice("web-1", "web", At("10.0.0.1", node))).Plan("web");
        Assert.Equal(mayBeHere ? ["10.0.0.1"] : [], plan.HairpinAddresses.Select(address => address.ToString()));
        // That is about hairpins only: policy Local goes by the name as it is.
        var local = new TestCluster(null, Service("web", "10.96.0.10", spec => spec with { InternalTrafficPolicy = "Local" }), Slice("web-1", "web", At("10.0.0.1", node))).Plan("web");
        Assert.Equal(node == Node1 ? 1 : 0, local.LocalEndpoints.Length);
    }

    [Fact]
    public void What_cannot_be_used_of_a_slice_is_said_with_what_to_do()
    {
        var slice = Slice("web-1", "web", At("10.0.0.1") with { Addresses = ["10.0.0.1", "10.0.0.2"] }) with
        {
            Ports = [new EndpointPort { Name = "", Protocol = "TCP", Port = 8080 }, new EndpointPort { Name = "all", Protocol = "TCP" }],
        };
        var cluster = new TestCluster(null, Service("web", "10.96.0.10"), slice);
        Assert.Equal("10.0.0.1:8080", string.Join(',', cluster.Plan("web").ClusterEndpoints));
        Assert.Equal(
            [
                "EndpointSlice default/web-1 endpoints[0].addresses[1]: only the first address (10.0.0.1) is used, and the others are left out: give each an endpoint of its own",
                "EndpointSlice default/web-1 ports[1].port: missing, which means all ports, and no Service can lead to these; the port is left out: give it a number",
            ],
            cluster.Complaints());
    }

    [Fact]
    public void A_protocol_that_the_mode_does_not_serve_is_a_problem_and_the_other_ports_are_in_force()
    {
        var options = Options with { UnservedProtocols = new Dictionary<Protocol, string> { [Protocol.Sctp] = "SCTP is not served in mode userspace" } };
        var service = Service("web", "10.96.0.10", spec => spec with
        {
            Ports = [new ServicePort { Name = "s", Protocol = "SCTP", Port = 90 }, new ServicePort { Name = "", Protocol = "TCP", Port = 80 }],
        });
        var cluster = new TestCluster(options, service, Slice("web-1", "web", At("10.0.0.1")));
        Assert.Equal(80, Assert.Single(Assert.Single(cluster.Plans()).Frontends).Key.Port);
        Assert.Equal(["Service default/web spec.ports[0].protocol: SCTP is not served in mode userspace; the port is left out"], cluster.Complaints());
    }
}
