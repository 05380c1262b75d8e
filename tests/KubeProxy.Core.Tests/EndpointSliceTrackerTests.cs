using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

public class EndpointSliceTrackerTests
{
    private static string Endpoints(params KubernetesObject[] slices)
    {
        var cluster = new TestCluster(null, [Service("web", "10.96.0.1"), .. slices]);
        return string.Join(' ', cluster.Plan("web").ClusterEndpoints);
    }

    [Fact]
    public void Slices_are_merged() => Assert.Equal("10.0.0.1:8080 10.0.0.2:8080",
        Endpoints(Slice("web-b", "web", At("10.0.0.1")), Slice("web-a", "web", At("10.0.0.2"))));

    [Fact]
    public void Endpoints_are_in_numeric_order() => Assert.Equal("10.0.0.2:8080 10.0.0.10:8080",
        Endpoints(Slice("web-a", "web", At("10.0.0.10"), At("10.0.0.2"))));

    [Theory]
    [InlineData(false, true, "10.0.0.1:8080")] // ready, then terminating: the first stays
    [InlineData(true, false, "10.0.0.1:8080")] // terminating, then ready: replaced
    [InlineData(true, true, "10.0.0.1:8080")] // both terminating, still serving
    public void A_terminating_duplicate_does_not_win(bool firstTerminates, bool secondTerminates, string expected)
    {
        Endpoint At1(bool terminates) => At("10.0.0.1", ready: !terminates, serving: true, terminating: terminates);
        Assert.Equal(expected, Endpoints(Slice("web-a", "web", At1(firstTerminates)), Slice("web-b", "web", At1(secondTerminates))));
    }

    [Fact]
    public void Ports_are_matched_by_name_and_protocol()
    {
        var slice = Slice("web-a", "web", At("10.0.0.1")) with
        {
            Ports =
            [
                new() { Name = "", Protocol = "TCP", Port = 1 }, new() { Name = "http", Protocol = "TCP", Port = 2 },
                new() { Name = "", Protocol = "UDP", Port = 3 },
            ],
        };
        Assert.Equal("10.0.0.1:1", Endpoints(slice));
    }

    [Fact]
    public void Slices_of_no_use_are_ignored_in_silence()
    {
        var slice = Slice("web-a", "web", At("10.0.0.1"));
        var headless = slice with { Metadata = slice.Metadata with { Labels = new(slice.Metadata.Labels!) { [WellKnownNames.HeadlessLabel] = "" } } };
        var fqdn = slice with { AddressType = "FQDN", Endpoints = [At("web.example.org")] };
        foreach (var ignored in (EndpointSlice[])[headless, fqdn])
        {
            var cluster = new TestCluster(null, Service("web", "10.96.0.1"), slice, ignored);
            Assert.Empty(cluster.Plan("web").ClusterEndpoints);
            Assert.Equal(0, cluster.State.Read(trackers => trackers.Slices.Count));
            Assert.Empty(cluster.Complaints());
        }
    }

    public static TheoryData<string, EndpointSlice, string> BadSlices()
    {
        var good = Slice("web-a", "web", At("10.0.0.1"));
        return new()
        {
            { "addressType", good with { AddressType = "IPv5" }, "" },
            { "addressType", good with { AddressType = null }, "" },
            { $"metadata.labels[{WellKnownNames.ServiceNameLabel}]", good with { Metadata = good.Metadata with { Labels = null } }, "" },
            { "endpoints[1].addresses", good with { Endpoints = [At("10.0.0.1"), new Endpoint()] }, "10.0.0.1:8080" },
            { "endpoints[1].addresses", good with { Endpoints = [At("10.0.0.1"), At("::1")] }, "10.0.0.1:8080" },
            { "endpoints[1].addresses", good with { Endpoints = [At("10.0.0.1"), At("2001:db8::1")] }, "10.0.0.1:8080" },
            { "endpoints[0].addresses", good with { Endpoints = [At("localhost"), At("10.0.0.1")] }, "10.0.0.1:8080" },
            { "ports[0].port", good with { Ports = [new() { Port = 65536 }, new() { Port = 9 }] }, "10.0.0.1:9" },
            { "ports[0].port", good with { Ports = [new() { Name = "all" }, new() { Port = 9 }] }, "10.0.0.1:9" },
            { "ports[0].protocol", good with { Ports = [new() { Protocol = "tcp", Port = 1 }, new() { Port = 9 }] }, "10.0.0.1:9" },
            { "ports[1].name", good with { Ports = [new() { Port = 8 }, new() { Port = 9 }] }, "10.0.0.1:8" },
        };
    }

    [Theory]
    [MemberData(nameof(BadSlices))]
    public void A_bad_part_is_reported_and_left_out(string field, EndpointSlice slice, string endpoints)
    {
        var cluster = new TestCluster(null, Service("web", "10.96.0.1"), slice);
        Assert.Equal(endpoints, string.Join(' ', cluster.Plan("web").ClusterEndpoints));
        Assert.Equal(field, Assert.Single(cluster.Problems).Field);
        cluster.State.Upsert(Slice("web-a", "web", At("10.0.0.1")));
        Assert.Empty(cluster.Complaints());
    }

    [Fact]
    public void A_slice_that_moves_to_another_service_leaves_the_first()
    {
        var cluster = new TestCluster(null, Service("a", "10.96.0.1"), Service("b", "10.96.0.2"), Slice("s", "a", At("10.0.0.1")));
        Assert.Single(cluster.Plan("a").ClusterEndpoints);
        cluster.State.Upsert(Slice("s", "b", At("10.0.0.1")));
        Assert.Empty(cluster.Plan("a").ClusterEndpoints);
        Assert.Single(cluster.Plan("b").ClusterEndpoints);
    }

    [Fact]
    public void Endpoints_that_come_before_their_service_count()
    {
        var cluster = new TestCluster(null, Slice("web-a", "web", At("10.0.0.1")));
        Assert.Empty(cluster.Take().Updated);
        cluster.State.Upsert(Service("web", "10.96.0.1"));
        Assert.Single(cluster.Plan("web").ClusterEndpoints);
    }

    [Fact]
    public void Local_ready_addresses_are_counted_once_for_health_checks()
    {
        var service = Service("web", "10.96.0.1", spec => spec with
        {
            Type = "LoadBalancer",
            ExternalTrafficPolicy = "Local",
            HealthCheckNodePort = 32000,
        });
        var cluster = new TestCluster(null, service,
            Slice("web-a", "web", At("10.0.0.1", Node1), At("10.0.0.2", Node1), At("10.0.0.3")) with { Ports = [new() { Port = 1 }, new() { Name = "b", Port = 2 }] },
            Slice("web-b", "web", At("10.0.0.1", Node1), At("10.0.0.4", Node1, ready: false, serving: true, terminating: true)));
        var health = Assert.Single(cluster.State.Take(cluster.IPv4).Health);
        Assert.Equal((32000, 2), (health.Port, health.LocalEndpoints));

        cluster.State.Delete(ObjectKind.EndpointSlice, Named("web-a"));
        Assert.Equal(1, Assert.Single(cluster.State.Take(cluster.IPv4).Health).LocalEndpoints);
        cluster.State.Delete(ObjectKind.Service, Named("web"));
        Assert.Empty(cluster.State.Take(cluster.IPv4).Health);
    }
}
