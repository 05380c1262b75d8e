using System.Globalization;
using KubeProxy.Core.Explaining;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

/// <summary>What is explained is what is planned.</summary>
public class ExplainTests
{
    [Fact]
    public void Explanations_say_what_the_plans_are_whatever_the_cluster()
    {
        for (var seed = 0; seed < 400; seed++)
        {
            var plans = RandomCluster(new Random(seed));
            foreach (var plan in plans.Get(IpFamily.IPv4)) Compare(plans, plan, seed);
        }
    }

    [Theory]
    [InlineData("10.96.0.10:80", "10.96.0.10:80")]
    [InlineData("10.96.0.10:80/TCP", "10.96.0.10:80/tcp")]
    [InlineData("10.96.0.10", "10.96.0.10")]
    [InlineData("10.96.0.10/udp", "10.96.0.10/udp")]
    [InlineData("[fd00::10]:80/sctp", "[fd00::10]:80/sctp")]
    [InlineData("fd00::10", "fd00::10")]
    [InlineData("node:30080/udp", "node:30080/udp")]
    [InlineData("default/web", "default/web")]
    [InlineData("default/web:http", "default/web:http")]
    [InlineData("default/web:80/udp", "default/web:80/udp")]
    [InlineData("default/tcp", "default/tcp")]
    [InlineData("web.default.svc.cluster.local", "default/web")]
    [InlineData("web.default.svc.cluster.local.:80", "default/web:80")]
    [InlineData("web.default.svc", "default/web")]
    public void Targets_are_read(string text, string expected)
    {
        Assert.True(ExplainTarget.TryParse(text, out var target, out var problem), problem);
        Assert.Equal(expected, target.ToString());
        Assert.True(ExplainTarget.TryParse(target.ToString(), out var again, out _));
        Assert.Equal(target, again);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("web")]
    [InlineData("/web")]
    [InlineData("default/")]
    [InlineData("a/b/c")]
    [InlineData("10.96.0.10:")]
    [InlineData("10.96.0.10:65536")]
    [InlineData("10.96.0.10:+80")]
    [InlineData("node:")]
    [InlineData("node:0")]
    [InlineData("a\nb/c")]
    [InlineData("..svc")]
    public void What_is_no_target_is_refused_with_a_reason(string? text)
    {
        Assert.False(ExplainTarget.TryParse(text, out _, out var problem));
        Assert.NotEqual("", problem);
    }

    [Fact]
    public void A_target_has_a_longest_length() => Assert.False(ExplainTarget.TryParse(new string('a', 299) + "/b", out _, out _));

    [Fact]
    public void Many_service_ports_are_cut_and_counted()
    {
        var plans = ServicePlans.Of(Options, Enumerable.Range(0, 40).Select(i => Service($"s{i}", $"10.96.0.{i + 1}")).Cast<KubernetesObject>()
            .Append(Slice("all", "s0", At("10.0.0.1"))).Concat(Enumerable.Range(1, 39).Select(i => Slice($"all{i}", $"s{i}", At("10.0.0.1")))));
        var explanation = plans.Explain(new ExplainTarget.Address(IpAddr.Parse("10.0.0.1"), 8080, null));
        Assert.Equal((Explanation.MostPorts, 24), (explanation.Ports.Count, explanation.MorePorts));
    }

    [Fact]
    public void A_Service_that_is_not_proxied_is_forgotten_with_its_object()
    {
        var plans = ServicePlans.Of(Options, Service("web", "None"));
        var target = new ExplainTarget.Service(Named("web"), null, null);
        Assert.Equal(CauseKind.Headless, plans.Explain(target).Causes[0].Kind);
        plans.Replace(ObjectKind.Service, []);
        Assert.Equal(CauseKind.ServiceUnknown, plans.Explain(target).Causes[0].Kind);
        plans.Upsert(Service("web", "None"));
        plans.Upsert(Service("web", "10.96.0.1"));
        Assert.Single(plans.Explain(target).Ports);
    }

    [Fact]
    public void Masquerading_of_cluster_IPs_depends_on_who_asks()
    {
        var plans = ServicePlans.Of(Options, Service("web", "10.96.0.1"), Slice("web-a", "web", At("10.0.0.1")));
        var policy = new MasqueradePolicy { LocalDetector = new LocalTrafficDetector.Source(Cidr.Parse("10.0.0.0/8")) };
        var outcomes = plans.Explain(new ExplainTarget.Service(Named("web"), null, null), _ => policy).Ports[0].Frontends[0].Outcomes;
        Assert.Equal([(ClientKind.Pod, false), (ClientKind.Node, true), (ClientKind.Outside, true)], outcomes.Select(outcome => (outcome.Client, outcome.Masquerade)));
    }

    [Fact]
    public async Task What_the_kernel_refuses_comes_first()
    {
        var backend = new RecordingBackend();
        var name = new ServicePortName(Named("web"), "", Protocol.Tcp);
        backend.OnSync = _ => Task.FromResult(new SyncResult { Quarantined = [new QuarantinedOwner(name, "add element: ENOSPC", DateTimeOffset.UnixEpoch)] });
        using var engine = new ProxyEngine(Options, [backend]);
        using var stop = new CancellationTokenSource();
        var running = engine.RunAsync(stop.Token);
        var target = new ExplainTarget.Service(name.Service, null, null);
        engine.Upsert(Service("web", "10.96.0.1"));
        Assert.Equal(CauseKind.NotInForce, engine.Explain(target).Ports[0].Causes[0].Kind);
        foreach (var kind in ObjectKinds.All) engine.MarkSynced(kind);
        await engine.WaitForSyncAsync(TestContext.Current.CancellationToken);
        Assert.Equal(
            new Cause(CauseKind.Quarantined, "the service port is refused and left out since 1970-01-01T00:00:00Z: add element: ENOSPC"), engine.Explain(target).Ports[0].Causes[0]);
        await stop.CancelAsync();
        await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private static void Compare(ServicePlans plans, ServicePortPlan plan, int seed)
    {
        var target = new ExplainTarget.Service(plan.Name.Service, plan.Name.PortName.Length == 0 ? null : plan.Name.PortName, plan.Name.Protocol);
        var port = plans.Explain(target).Ports.Single(port => port.Name == plan.Name && port.Family == plan.Family);
        var where = $"seed {seed}, {plan.Name}";
        Assert.True(plan == port.Plan, where);
        Assert.Equal(plan.Frontends.Select(frontend => (where, frontend)), port.Frontends.Where(frontend => frontend.IsInForce).Select(frontend => (where, frontend.Frontend)));
        Assert.All(port.Frontends, frontend => Assert.Equal(frontend.IsInForce, frontend.Reason is null));
        if (plan.Frontends.Any(frontend => frontend.UsesClusterEndpoints))
            Assert.Equal(plan.ClusterEndpoints, port.Endpoints.Where(endpoint => endpoint.ForCluster.IsIn()).Select(endpoint => endpoint.Target));
        if (plan.Frontends.Any(frontend => frontend.UsesLocalEndpoints))
            Assert.Equal(plan.LocalEndpoints, port.Endpoints.Where(endpoint => endpoint.ForLocal.IsIn()).Select(endpoint => endpoint.Target));
        foreach (var frontend in plan.Frontends)
        {
            if (frontend.Destination == Destination.Reject) Assert.Contains(port.Causes, cause => cause.Kind is CauseKind.NoEndpoints or CauseKind.NoSlicePort or CauseKind.NoneReady);
            if (frontend.Destination == Destination.Drop) Assert.Contains(port.Causes, cause => cause.Kind == CauseKind.NoLocalEndpoints);
            if (!frontend.AllowedSources.IsEmpty) Assert.Contains(port.Causes, cause => cause.Kind is CauseKind.SourceRanges or CauseKind.SourcesUnreadable);
        }

        Assert.Equal(port.Frontends.Count(frontend => !frontend.IsInForce), port.Causes.Count(cause => cause.Kind is CauseKind.Conflict or CauseKind.AddressNotAllowed));
    }

    private static ServicePlans RandomCluster(Random random)
    {
        var options = Options with { VirtualIpRanges = random.Next(3) == 0 ? [IpRange.From(Cidr.Parse("192.0.2.0/30"))] : [] };
        var plans = new ServicePlans(options);
        if (random.Next(4) > 0) plans.Upsert(Node(random.Next(3) == 0 ? null : "a", "192.0.2.100"));
        for (var i = 0; i < 3; i++)
        {
            var (external, local) = (random.Next(2) == 0, random.Next(2) == 0);
            plans.Upsert(Service($"s{i}", $"10.96.0.{random.Next(3)}", spec => spec with
            {
                Type = "LoadBalancer", ExternalTrafficPolicy = external ? "Local" : null, InternalTrafficPolicy = local ? "Local" : null,
                ExternalIPs = random.Next(2) == 0 ? [$"192.0.2.{random.Next(1, 6)}"] : [],
                LoadBalancerSourceRanges = random.Next(4) switch { 0 => ["203.0.113.0/24"], 1 => ["typo"], _ => [] },
            }, new ServicePort { Name = "", Port = 80, NodePort = 30080 + random.Next(2) }).WithIngress(random.Next(2) == 0 ? ["198.51.100.1"] : []));
            if (random.Next(5) > 0) plans.Upsert(Slice($"s{i}-a", $"s{i}", [.. Enumerable.Range(0, random.Next(4)).Select(each => RandomEndpoint(random, each))]) with { Ports = [new EndpointPort { Name = random.Next(6) == 0 ? "x" : "", Port = 8080 }], AddressType = "IPv4" });
        }

        return plans;
    }

    private static Endpoint RandomEndpoint(Random random, int index) => At(
        $"10.0.0.{(index + 1).ToString(CultureInfo.InvariantCulture)}", random.Next(3) switch { 0 => null, 1 => Node1, _ => "node2" }, random.Next(3) > 0, random.Next(3) > 0, random.Next(3) == 0,
        random.Next(3) switch { 0 => ["a"], 1 => ["b", "c"], _ => null }, random.Next(4) == 0 ? [random.Next(2) == 0 ? Node1 : "node2"] : null);
}
