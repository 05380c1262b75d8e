using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

public class FrontendConflictTests
{
    private static Service Aged(string name, string clusterIP, int day, ServicePort? port = null)
    {
        var service = Service(name, clusterIP, port: port);
        return service with { Metadata = service.Metadata with { CreationTimestamp = new(2025, 1, day, 0, 0, 0, TimeSpan.Zero) } };
    }

    private static string Owners(TestCluster cluster) =>
        string.Join(' ', cluster.Plans().Where(plan => plan.Frontends.Length > 0).Select(plan => plan.Name.Service.Name));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_older_service_has_the_address(bool olderFirst)
    {
        var older = Aged("z-older", "10.96.0.1", 1);
        var newer = Aged("a-newer", "10.96.0.1", 2);
        var cluster = olderFirst ? new TestCluster(null, older, newer) : new TestCluster(null, newer, older);
        Assert.Equal("z-older", Owners(cluster));
        var problem = Assert.Single(cluster.Problems);
        Assert.Equal("spec.clusterIPs", problem.Field);
        Assert.Contains("z-older", problem.Message, StringComparison.Ordinal);

        cluster.State.Delete(ObjectKind.Service, Named("z-older"));
        Assert.Equal("a-newer", Owners(cluster));
        Assert.Empty(cluster.Complaints());
    }

    [Fact]
    public void Of_the_same_age_the_smaller_name_has_it_even_when_it_comes_later()
    {
        var cluster = new TestCluster(null, Service("b", "10.96.0.1"));
        Assert.Equal("b", Owners(cluster));
        cluster.State.Upsert(Service("a", "10.96.0.1"));
        var changes = cluster.Take();
        Assert.Equal(["default/a", "default/b"], changes.Updated.Select(plan => plan.Name.ToString()).Order());
        Assert.Equal("a", Owners(cluster));
    }

    [Fact]
    public void A_node_port_that_is_taken_leaves_the_rest_of_the_service()
    {
        var cluster = new TestCluster(null,
            Aged("first", "10.96.0.1", 1, new() { Port = 80, NodePort = 30080 }),
            Aged("second", "10.96.0.2", 2, new() { Port = 80, NodePort = 30080 }),
            Slice("second-a", "second", At("10.0.0.1")));
        Assert.Equal("10.96.0.2:80/tcp", Assert.Single(cluster.Plan("second").Frontends).Key.ToString());
        Assert.Single(cluster.Plan("second").ClusterEndpoints);
        cluster.State.Upsert(Aged("first", "10.96.0.1", 1, new() { Port = 80 }));
        Assert.Equal(2, cluster.Plan("second").Frontends.Length);
    }

    [Fact]
    public void Endpoints_of_a_plan_without_frontends_are_left_out()
    {
        var cluster = new TestCluster(null, Aged("a", "10.96.0.1", 1), Aged("b", "10.96.0.1", 2), Slice("b-a", "b", At("10.0.0.1", Node1)));
        var plan = cluster.Plan("b");
        Assert.Empty(plan.Frontends);
        Assert.Empty(plan.ClusterEndpoints);
        Assert.Empty(plan.HairpinAddresses);
    }

    [Fact]
    public void Ports_of_one_service_can_be_in_conflict()
    {
        var service = Service("web", "10.96.0.1", spec => spec with { Ports = [new() { Name = "b", Port = 80 }, new() { Name = "a", Port = 80 }] });
        var cluster = new TestCluster(null, service);
        Assert.Equal("default/web:a", cluster.Plans().Single(plan => plan.Frontends.Length > 0).Name.ToString());
        Assert.Single(cluster.Problems);
    }

    [Fact]
    public void Losers_queue_in_order()
    {
        var cluster = new TestCluster(null, Aged("c", "10.96.0.1", 3), Aged("a", "10.96.0.1", 1), Aged("b", "10.96.0.1", 2));
        foreach (var name in (string[])["a", "b", "c"])
        {
            Assert.Equal(name, Owners(cluster));
            cluster.State.Delete(ObjectKind.Service, Named(name));
        }

        Assert.Empty(cluster.Plans());
        Assert.Equal((0, 0, 0), (cluster.IPv4.Arbiter.OwnerCount, cluster.IPv4.Arbiter.KeyCount, cluster.IPv4.Arbiter.ContestedCount));
    }

    [Fact]
    public void Every_loser_is_told_who_has_it_now()
    {
        var cluster = new TestCluster(null, Aged("b", "10.96.0.1", 2), Aged("c", "10.96.0.1", 3));
        cluster.Take();
        cluster.State.Upsert(Aged("a", "10.96.0.1", 1));
        cluster.Take();
        Assert.Equal(2, cluster.Complaints().Count(text => text.Contains("belongs to default/a", StringComparison.Ordinal)));
        cluster.State.Delete(ObjectKind.Service, Named("a"));
        cluster.Take();
        Assert.Contains("belongs to default/b", Assert.Single(cluster.Complaints()), StringComparison.Ordinal);
    }

    [Fact]
    public void The_arbiter_tells_who_is_affected()
    {
        var arbiter = new FrontendArbiter();
        var key = new FrontendKey(IpAddr.Parse("10.96.0.1"), Protocol.Tcp, 80);
        var a = new ServicePortName(Named("a"), "", Protocol.Tcp);
        var b = new ServicePortName(Named("b"), "", Protocol.Tcp);
        var affected = new HashSet<ServicePortName>();
        arbiter.Claim(b, DateTimeOffset.MaxValue, [key], affected);
        Assert.Empty(affected);
        arbiter.Claim(a, DateTimeOffset.MaxValue, [key], affected);
        Assert.Equal([b], affected);
        affected.Clear();
        arbiter.Claim(a, DateTimeOffset.MaxValue, [key], affected);
        Assert.Empty(affected);
        arbiter.Claim(a, DateTimeOffset.MaxValue, [], affected);
        Assert.Equal([b], affected);
        Assert.Equal(b, arbiter.WinnerOf(key));
        Assert.Null(arbiter.WinnerOf(key with { Port = 81 }));
    }
}
