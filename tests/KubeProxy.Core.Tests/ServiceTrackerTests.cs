using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

public class ServiceTrackerTests
{
    [Fact]
    public void Services_of_others_are_not_proxied()
    {
        var mine = Service("web", "10.96.0.1");
        var cluster = new TestCluster(null,
            mine with { Metadata = mine.Metadata with { Name = "other-proxy", Labels = new() { [WellKnownNames.ServiceProxyNameLabel] = "" } } },
            Service("headless", "None"),
            Service("external", "10.96.0.2", spec => spec with { Type = "ExternalName" }),
            new Service { Metadata = new ObjectMeta { Name = "empty", Namespace = "default" } });
        Assert.Empty(cluster.Plans());
        Assert.Empty(cluster.Complaints());
    }

    [Fact]
    public void Gaining_the_proxy_name_label_is_a_deletion()
    {
        var service = Service("web", "10.96.0.1");
        var cluster = new TestCluster(null, service);
        Assert.Single(cluster.Plans());
        cluster.State.Upsert(service with { Metadata = service.Metadata with { Labels = new() { [WellKnownNames.ServiceProxyNameLabel] = "x" } } });
        Assert.Equal("default/web", Assert.Single(cluster.Take().Removed).ToString());
    }

    [Theory]
    [InlineData("10.96.0.1", "10.96.0.1", "IPv4", "10.96.0.1", null)]
    [InlineData("fd00::1", "fd00::1", "IPv6", null, "fd00::1")]
    [InlineData("10.96.0.1", "10.96.0.1,fd00::1", "IPv4,IPv6", "10.96.0.1", "fd00::1")]
    [InlineData("fd00::1", "fd00::1,10.96.0.1", "IPv6,IPv4", "10.96.0.1", "fd00::1")]
    [InlineData("10.96.0.1", "", "", "10.96.0.1", null)]
    [InlineData("", "10.96.0.1,fd00::1", "", "10.96.0.1", "fd00::1")]
    [InlineData("10.96.0.1", "10.96.0.1", "IPv4,IPv6", "10.96.0.1", null)] // Being upgraded to dual stack.
    [InlineData("010.096.000.001", "010.096.000.001", "IPv4", "10.96.0.1", null)]
    public void Cluster_IPs_by_family(string clusterIP, string clusterIPs, string families, string? v4, string? v6)
    {
        var service = Service("web", "10.96.0.9", spec => spec with
        {
            ClusterIP = clusterIP,
            ClusterIPs = clusterIPs.Split(',', StringSplitOptions.RemoveEmptyEntries),
            IPFamilies = families.Split(',', StringSplitOptions.RemoveEmptyEntries),
        });
        var cluster = new TestCluster(null, service);
        Assert.Equal(v4, cluster.Plans(IpFamily.IPv4).SingleOrDefault()?.Frontends[0].Key.Address.ToString());
        Assert.Equal(v6, cluster.Plans(IpFamily.IPv6).SingleOrDefault()?.Frontends[0].Key.Address.ToString());
    }

    [Fact]
    public void External_addresses_go_to_their_family()
    {
        var service = Service("web", "10.96.0.1", spec => spec with
        {
            ClusterIPs = ["10.96.0.1", "fd00::1"],
            IPFamilies = ["IPv4", "IPv6"],
            ExternalIPs = ["198.18.1.1", "2001:db8::1", "", " "],
        }).WithIngress("2001:db8::2", "198.18.2.1");
        var cluster = new TestCluster(null, service);
        Assert.Equal("10.96.0.1 198.18.1.1 198.18.2.1", string.Join(' ', cluster.Plan("web").Frontends.Select(f => f.Key.Address)));
        Assert.Equal("fd00::1 2001:db8::1 2001:db8::2", string.Join(' ', cluster.Plan("web", IpFamily.IPv6).Frontends.Select(f => f.Key.Address)));
        Assert.Empty(cluster.Complaints());
    }

    [Fact]
    public void External_IPs_can_be_disallowed()
    {
        var cluster = new TestCluster(Options with { AllowExternalIPs = false }, Service("web", "10.96.0.1", spec => spec with { ExternalIPs = ["198.18.1.1"] }));
        Assert.Single(cluster.Plan("web").Frontends);
    }

    public static TheoryData<string, Service, string, int> BadServices() => new()
    {
        // what, object, field complained about, ports that remain
        { "port 0", Service("web", "10.96.0.1", port: new() { Port = 0 }), "spec.ports[0].port", 0 },
        { "no port", Service("web", "10.96.0.1", port: new()), "spec.ports[0].port", 0 },
        { "port too big", Service("web", "10.96.0.1", port: new() { Port = 65536 }), "spec.ports[0].port", 0 },
        { "negative node port", Service("web", "10.96.0.1", port: new() { Port = 80, NodePort = -1 }), "spec.ports[0].nodePort", 1 },
        { "protocol", Service("web", "10.96.0.1", port: new() { Port = 80, Protocol = "ICMP" }), "spec.ports[0].protocol", 0 },
        { "duplicate name", Service("web", "10.96.0.1", spec => spec with { Ports = [new() { Name = "a", Port = 80 }, new() { Name = "a", Port = 81 }] }), "spec.ports[1].name", 1 },
        { "external IP", Service("web", "10.96.0.1", spec => spec with { ExternalIPs = ["nonsense"] }), "spec.externalIPs[0]", 1 },
        { "loopback external IP", Service("web", "10.96.0.1", spec => spec with { ExternalIPs = ["127.0.0.1"] }), "spec.externalIPs[0]", 1 },
        { "ingress", Service("web", "10.96.0.1").WithIngress("1.2.3"), "status.loadBalancer.ingress[0].ip", 1 },
        { "range", Service("web", "10.96.0.1", spec => spec with { LoadBalancerSourceRanges = ["10.0.0.0/33"] }), "spec.loadBalancerSourceRanges[0]", 1 },
        { "cluster IP", Service("web", "10.96.0.1", spec => spec with { ClusterIP = "x", ClusterIPs = ["x"] }), "spec.clusterIPs[0]", 0 },
        { "wrong family", Service("web", "10.96.0.1", spec => spec with { IPFamilies = ["IPv6"] }), "spec.clusterIPs[0]", 0 },
        { "timeout", Service("web", "10.96.0.1", spec => spec with { SessionAffinity = "ClientIP", SessionAffinityConfig = new() { ClientIP = new() { TimeoutSeconds = 86401 } } }), "spec.sessionAffinityConfig.clientIP.timeoutSeconds", 1 },
        { "affinity", Service("web", "10.96.0.1", spec => spec with { SessionAffinity = "Cookie" }), "spec.sessionAffinity", 1 },
        { "policy", Service("web", "10.96.0.1", spec => spec with { InternalTrafficPolicy = "Elsewhere" }), "spec.internalTrafficPolicy", 1 },
        { "port name", Service("web", "10.96.0.1", port: new ServicePort { Name = new string('p', 64), Protocol = "TCP", Port = 80 }), "spec.ports[0].name", 0 },
        { "health port", Service("web", "10.96.0.1", spec => spec with { Type = "LoadBalancer", ExternalTrafficPolicy = "Local" }), "spec.healthCheckNodePort", 1 },
    };

    // Backends put names into kernel objects, whose names and comments have a longest length and end at a zero.
    [Theory]
    [InlineData("a\0b", "default", "metadata.name")]
    [InlineData("line\nbreak", "default", "metadata.name")]
    [InlineData(64, "default", "metadata.name")]
    [InlineData("web", 64, "metadata.namespace")]
    public void A_name_that_no_API_server_takes_leaves_its_Service_out_and_no_other(object name, object space, string field)
    {
        static string Text(object value) => value as string ?? new string('n', (int)value);
        var service = Service("web", "10.96.0.1");
        var cluster = new TestCluster(null, service with { Metadata = service.Metadata with { Name = Text(name), Namespace = Text(space) } }, Service("good", "10.96.0.2"));
        Assert.Equal("good", Assert.Single(cluster.Plans()).Name.Service.Name);
        Assert.Equal(field, Assert.Single(cluster.Problems).Field);
    }

    [Theory]
    [MemberData(nameof(BadServices))]
    public void A_bad_part_is_reported_and_left_out(string what, Service service, string field, int ports)
    {
        var cluster = new TestCluster(null, service, Service("good", "10.96.0.2"));
        Assert.Equal(ports, cluster.Plans().Count(plan => plan.Name.Service.Name == "web"));
        Assert.Single(cluster.Plans(), plan => plan.Name.Service.Name == "good");
        var problem = Assert.Single(cluster.Problems);
        Assert.True(problem.Field == field, $"{what}: {problem}");
        Assert.Equal(Named("web"), problem.Name);

        cluster.State.Delete(ObjectKind.Service, Named("web"));
        Assert.Empty(cluster.Complaints());
    }

    [Fact]
    public void Affinity_without_a_timeout_lasts_three_hours()
    {
        var service = Service("web", "10.96.0.1", spec => spec with { SessionAffinity = "ClientIP" });
        Assert.Equal(TimeSpan.FromHours(3), new TestCluster(null, service).Plan("web").AffinityTimeout);
    }

    [Fact]
    public void Ten_thousand_ports_are_just_many()
    {
        var service = Service("web", "10.96.0.1", spec => spec with
        {
            Ports = [.. Enumerable.Range(1, 10_000).Select(port => new ServicePort { Name = $"p{port}", Port = port })],
        });
        Assert.Equal(10_000, new TestCluster(null, service).Plans().Count);
    }

    [Fact]
    public void Ten_thousand_problems_do_not_fill_the_log()
    {
        var service = Service("web", "10.96.0.1", spec => spec with { ExternalIPs = [.. Enumerable.Repeat("bad", 10_000)] });
        var complaints = new TestCluster(null, service).Complaints();
        Assert.True(complaints.Length < 20);
        Assert.Contains(complaints, text => text.Contains("and 9984 more", StringComparison.Ordinal));
    }

    [Fact]
    public void A_renamed_port_is_removed_and_added()
    {
        var cluster = new TestCluster(null, Service("web", "10.96.0.1", port: new() { Name = "old", Port = 80 }));
        cluster.Take();
        cluster.State.Upsert(Service("web", "10.96.0.1", port: new() { Name = "new", Port = 80 }));
        var changes = cluster.Take();
        Assert.Equal("default/web:new", Assert.Single(changes.Updated).Name.ToString());
        Assert.Single(changes.Updated[0].Frontends);
        Assert.Equal("default/web:old", Assert.Single(changes.Removed).ToString());
    }

    [Fact]
    public void What_is_equal_is_not_planned_again()
    {
        var cluster = new TestCluster(null, Service("web", "10.96.0.1"), Slice("web-a", "web", At("10.0.0.1")));
        cluster.Take();
        var version = cluster.IPv4.Version;
        cluster.State.Upsert(Service("web", "10.96.0.1"));
        cluster.State.Upsert(Slice("web-a", "web", At("10.0.0.1")));
        Assert.Equal(version, cluster.IPv4.Version);
    }

    [Fact]
    public void Only_what_changed_is_given()
    {
        var cluster = new TestCluster(null, [.. Enumerable.Range(1, 100).Select(i => Service($"s{i}", $"10.96.0.{i}"))]);
        Assert.Equal(100, cluster.Take().Updated.Count);
        cluster.State.Upsert(Slice("s7-a", "s7", At("10.0.0.1")));
        var changes = cluster.Take();
        Assert.Equal("default/s7", Assert.Single(changes.Updated).Name.ToString());
        Assert.Null(changes.Node);
    }
}
