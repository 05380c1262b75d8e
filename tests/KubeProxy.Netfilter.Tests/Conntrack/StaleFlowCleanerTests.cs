using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Conntrack.Testing;

namespace KubeProxy.Netfilter.Tests.Conntrack;

// Addresses: clients 10.0.0.x, VIPs 10.96.0.x, endpoints 10.244.0.x:5353, this node 192.0.2.1, another one 192.0.2.2.
public sealed class StaleFlowCleanerTests
{
    private const string Vip = "10.96.0.10:53";
    private const string A = "10.244.0.1:5353";
    private const string B = "10.244.0.2:5353";
    private static readonly IpAddr Node = IpAddr.Parse("192.0.2.1");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(A, Vip, A, false)] // still serving
    [InlineData(A, Vip, B, true)] // the endpoint left
    [InlineData(A + " " + B, Vip, B, false)]
    [InlineData("", Vip, A, true)] // the last endpoint left
    [InlineData(A, Vip, null, true)] // began before there were rules
    [InlineData("", Vip, null, false)] // nothing would treat it differently
    [InlineData(A, "10.96.0.10:54", B, false)] // another port
    [InlineData(A, "10.96.0.11:53", B, false)] // another address
    [InlineData(A, "192.0.2.1:30053", B, true)] // node port on this node
    [InlineData(A, "192.0.2.1:30053", A, false)]
    [InlineData(A, "192.0.2.1:30053", null, true)]
    [InlineData(A, "192.0.2.2:30053", B, false)] // the same port of another node, on its way through
    [InlineData(A, "192.0.2.2:30053", null, false)]
    [InlineData("", "192.0.2.1:30053", null, false)] // may be for a process of the node
    public void Flows_to_a_changed_service_port(string endpoints, string frontend, string? server, bool isStale)
    {
        var plan = new StaleFlowPlan(IpFamily.IPv4, [Plan(endpoints, Vip, "30053")], [], address => address == Node);
        Assert.Equal(isStale, plan.IsStale(FlowMessages.Udp("10.0.0.1:4000", frontend, server)));
    }

    [Theory]
    [InlineData("192.0.2.1:40000", false)] // a port of this process
    [InlineData("192.0.2.1:40001", true)]
    public void Flows_to_this_process_are_kept(string server, bool isStale)
    {
        var plan = new StaleFlowPlan(IpFamily.IPv4, [Plan(A, Vip)], [], _ => false) { IsOwn = endpoint => endpoint == new IpEndpoint(Node, 40000) };
        Assert.Equal(isStale, plan.IsStale(FlowMessages.Udp("10.0.0.1:4000", Vip, server)));
    }

    [Theory]
    [InlineData(Vip, null, false)] // each of its packets is looked at
    [InlineData(Vip, A, false)]
    [InlineData(Vip, B, true)] // translated by the rules of another mode
    public void Flows_that_are_not_translated_may_be_kept(string frontend, string? server, bool isStale)
    {
        var plan = new StaleFlowPlan(IpFamily.IPv4, [Plan(A, Vip)], [], _ => false) { KeepsUntranslated = true };
        Assert.Equal(isStale, plan.IsStale(FlowMessages.Udp("10.0.0.1:4000", frontend, server)));
    }

    [Theory]
    [InlineData(Vip, A, true)]
    [InlineData(Vip, null, false)] // no longer our address: may be anybody's
    [InlineData("192.0.2.1:30053", A, true)]
    [InlineData("192.0.2.1:30053", null, false)]
    [InlineData("10.96.0.11:53", A, false)]
    public void Flows_to_a_removed_frontend(string frontend, string? server, bool isStale)
    {
        var plan = new StaleFlowPlan(IpFamily.IPv4, [], [Key(Vip), Key("30053")], address => address == Node);
        Assert.Equal(isStale, plan.IsStale(FlowMessages.Udp("10.0.0.1:4000", frontend, server)));
    }

    [Fact]
    public void A_frontend_that_another_service_took_over_is_judged_by_that()
    {
        var plan = new StaleFlowPlan(IpFamily.IPv4, [Plan(A, Vip)], [Key(Vip)], _ => false);
        Assert.False(plan.IsStale(FlowMessages.Udp("10.0.0.1:4000", Vip, A)));
        Assert.True(plan.IsStale(FlowMessages.Udp("10.0.0.1:4000", Vip, B)));
    }

    [Fact]
    public void An_address_counts_before_a_node_port_with_the_same_number()
    {
        var onNode = Plan(B, "192.0.2.1:30053");
        var plan = new StaleFlowPlan(IpFamily.IPv4, [Plan(A, "30053"), onNode], [], address => address == Node);
        Assert.False(plan.IsStale(FlowMessages.Udp("10.0.0.1:4000", "192.0.2.1:30053", B)));
        Assert.True(plan.IsStale(FlowMessages.Udp("10.0.0.1:4000", "192.0.2.1:30053", A)));
    }

    [Theory]
    [InlineData(A, Vip, A, false)]
    [InlineData(A, Vip, B, true)]
    [InlineData("", Vip, A, true)]
    [InlineData(A, Vip, null, true)]
    [InlineData("", Vip, null, false)]
    public void Sctp_is_treated_like_udp(string endpoints, string frontend, string? server, bool isStale)
    {
        var service = Plan(endpoints, Vip);
        service = service with { Frontends = [.. service.Frontends.Select(f => f with { Key = f.Key with { Protocol = Protocol.Sctp } })] };
        var plan = new StaleFlowPlan(IpFamily.IPv4, [service], [], _ => false);
        var udp = FlowMessages.Udp("10.0.0.1:4000", frontend, server);
        Assert.Equal(isStale, plan.IsStale(Of(Protocol.Sctp, udp)));
        Assert.False(plan.IsStale(udp));
        Assert.False(plan.IsStale(Of(Protocol.Tcp, udp)));
    }

    [Theory]
    [InlineData(Vip, null, false, true)] // began before there were rules, and nobody answers
    [InlineData(Vip, null, true, false)] // somebody does
    [InlineData(Vip, B, false, false)] // translated; it will be given up
    [InlineData(Vip, B, true, false)] // connections outlive their endpoint
    [InlineData("10.96.0.11:53", null, false, false)]
    [InlineData("192.0.2.1:30053", null, false, true)] // node port on this node
    [InlineData("192.0.2.2:30053", null, false, false)]
    public void Tcp_connections_to_a_frontend_that_appeared(string frontend, string? server, bool isReplied, bool isStale)
    {
        var flow = Of(Protocol.Tcp, FlowMessages.Udp("10.0.0.1:4000", frontend, server));
        flow = flow with { Status = isReplied ? flow.Status | FlowStatus.SeenReply : flow.Status };
        FrontendKey[] appeared = [Key(Vip) with { Protocol = Protocol.Tcp }, Key("30053") with { Protocol = Protocol.Tcp }];

        Assert.Equal(isStale, new StaleFlowPlan(IpFamily.IPv4, [], [], address => address == Node, appeared).IsStale(flow));
        Assert.False(new StaleFlowPlan(IpFamily.IPv4, [], [], address => address == Node, appeared) { KeepsUntranslated = true }.IsStale(flow));
        Assert.False(new StaleFlowPlan(IpFamily.IPv4, [Plan(A, Vip)], appeared, _ => true).IsStale(flow));
    }

    private static Flow Of(Protocol protocol, Flow flow) =>
        flow with { Original = flow.Original with { Protocol = protocol }, Reply = flow.Reply with { Protocol = protocol } };

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 4)]
    [InlineData(5, 1)]
    [InlineData(500, 1)]
    public async Task Exactly_the_stale_flows_go_with_few_dumps(int services, int dumps)
    {
        using var conntrack = new InMemoryConntrack();
        for (var i = 0; i < services; i++)
        {
            conntrack.Add(FlowMessages.Udp("10.0.0.1:4000", $"10.97.{i >> 8}.{i & 255}:53", A));
            conntrack.Add(FlowMessages.Udp("10.0.0.2:4000", $"10.97.{i >> 8}.{i & 255}:53", B));
        }

        var bystander = conntrack.Add(FlowMessages.Udp("10.0.0.1:4000", Vip, B));
        var plans = Enumerable.Range(0, services).Select(i => Plan(A, $"10.97.{i >> 8}.{i & 255}:53"));

        var deleted = await new StaleFlowCleaner(conntrack).CleanAsync(new StaleFlowPlan(IpFamily.IPv4, plans, [], _ => false), Ct);

        Assert.Equal(services, deleted);
        Assert.Equal((dumps, services), (conntrack.Dumps, conntrack.DeleteRequests));
        Assert.Equal(services + 1, conntrack.Flows.Count);
        Assert.Contains(bystander, conntrack.Flows);
        Assert.DoesNotContain(conntrack.Flows, flow => flow != bystander && flow.ReplySource == FlowMessages.Endpoint(B));
    }

    [Fact]
    public async Task Without_udp_frontends_nothing_is_asked()
    {
        using var conntrack = new InMemoryConntrack();
        Assert.Equal(0, await new StaleFlowCleaner(conntrack).CleanAsync(new StaleFlowPlan(IpFamily.IPv4, [], [], _ => true), Ct));
        Assert.Equal(0, conntrack.Dumps);
    }

    private static FrontendKey Key(string text) => text.Contains(':')
        ? new FrontendKey(FlowMessages.Endpoint(text).Address, Protocol.Udp, FlowMessages.Endpoint(text).Port)
        : new FrontendKey(null, Protocol.Udp, ushort.Parse(text));

    private static ServicePortPlan Plan(string endpoints, params string[] frontends)
    {
        var serving = endpoints.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(FlowMessages.Endpoint).Order().ToImmutableArray();
        return new ServicePortPlan
        {
            Name = new ServicePortName(new NamespacedName("default", "dns"), "", Protocol.Udp),
            Family = IpFamily.IPv4,
            ServingEndpoints = serving,
            Frontends = [.. frontends.Select(frontend => new Frontend
            {
                Key = Key(frontend),
                Kind = FrontendKind.ClusterIP,
                Destination = serving.IsEmpty ? Destination.Reject : Destination.ClusterEndpoints,
            })],
        };
    }
}
