using System.Net;
using System.Net.Sockets;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Tests.Conntrack;
using KubeProxy.Netlink;

namespace KubeProxy.Kernel.Tests.Conntrack;

public sealed class ConntrackClientTests : ConntrackContract, IDisposable
{
    private readonly NetworkNamespace _ns = NetworkNamespace.Create();
    private readonly ConntrackClient _client;

    public ConntrackClientTests()
    {
        _client = _ns.Run(() => ConntrackClient.Open());
    }

    protected override IConntrack Conntrack => _client;

    public void Dispose()
    {
        _client?.Dispose();
        _ns.Dispose();
    }

    [Fact]
    public async Task Flows_are_read_as_conntrack_wrote_them()
    {
        Insert("udp", "10.0.0.1", 1000, "10.96.0.10", 53, "--reply-src", "10.244.0.1", "--reply-dst", "10.0.0.1",
            "--reply-port-src", "5353", "--reply-port-dst", "1000", "--mark", "66");
        Insert("udp", "fd00::1", 1000, "fd00:96::10", 53);

        var flows = await ListAsync(FlowFilter.All);

        var v4 = Assert.Single(flows, flow => flow.Family == IpFamily.IPv4);
        Assert.Equal(new FlowTuple(Protocol.Udp, Ip("10.0.0.1"), Ip("10.96.0.10"), 1000, 53), v4.Original);
        Assert.Equal(new FlowTuple(Protocol.Udp, Ip("10.244.0.1"), Ip("10.0.0.1"), 5353, 1000), v4.Reply);
        Assert.Equal(66u, v4.Mark);
        Assert.NotEqual(0u, v4.Id);
        Assert.True(v4.Status.HasFlag(FlowStatus.Confirmed));
        var v6 = Assert.Single(flows, flow => flow.Family == IpFamily.IPv6);
        Assert.Equal(new FlowTuple(Protocol.Udp, Ip("fd00::1"), Ip("fd00:96::10"), 1000, 53), v6.Original);
    }

    [Fact]
    public async Task A_filtered_dump_does_not_carry_other_flows()
    {
        InsertMany(500);
        Insert("udp", "10.0.0.1", 1000, "10.96.0.10", 53);
        var trace = new CountingTrace();
        using var client = _ns.Run(() => ConntrackClient.Open(new() { Trace = trace }));

        await client.VisitAsync(new FlowFilter { Protocol = Protocol.Udp, OriginalDestination = Ip("10.96.0.10") },
            (in Flow _) => { }, cancellationToken: Ct);

        Assert.InRange(trace.Received, 100, 1000);
    }

    [Fact]
    public async Task A_dump_of_what_nobody_answered_does_not_carry_other_connections()
    {
        _ns.ExecWithInput(
            string.Concat(Enumerable.Range(0, 500).Select(i =>
                $"-I -p tcp -s 10.1.{i >> 8}.{i & 255} -d 10.97.0.1 --sport 1 --dport 80 -t 600 --state ESTABLISHED -u SEEN_REPLY,ASSURED\n")),
            "conntrack", "-R", "-");
        Insert("tcp", "10.0.0.1", 1000, "10.97.0.1", 80, "--state", "SYN_SENT");
        var trace = new CountingTrace();
        using var client = _ns.Run(() => ConntrackClient.Open(new() { Trace = trace }));
        FrontendKey[] appeared = [.. Enumerable.Range(1, 100).Select(i => new FrontendKey(Ip($"10.97.0.{i}"), Protocol.Tcp, 80))];

        Assert.Equal(1, await new StaleFlowCleaner(client).CleanAsync(new StaleFlowPlan(IpFamily.IPv4, [], [], _ => false, appeared), Ct));

        Assert.InRange(trace.Received, 100, 2000);
        Assert.Equal(500, (await ListAsync(new FlowFilter { Protocol = Protocol.Tcp })).Count);
    }

    [Fact]
    public async Task Sctp_associations_with_an_endpoint_that_left_are_deleted()
    {
        Insert("sctp", "10.0.0.1", 1000, "10.96.0.10", 53, Translated("10.244.0.1", "1000"));
        Insert("sctp", "10.0.0.1", 1001, "10.96.0.10", 53, Translated("10.244.0.2", "1001"));
        var service = Plan("10.244.0.2", 53);
        service = service with { Frontends = [service.Frontends[0] with { Key = service.Frontends[0].Key with { Protocol = Protocol.Sctp } }] };

        Assert.Equal(1, await new StaleFlowCleaner(_client).CleanAsync(new StaleFlowPlan(IpFamily.IPv4, [service], [], _ => false), Ct));

        Assert.Equal(Ip("10.244.0.2"), Assert.Single(await ListAsync(FlowFilter.All)).Reply.Source);

        static string[] Translated(string endpoint, string clientPort) =>
        [
            "--state", "ESTABLISHED", "--orig-vtag", "1", "--reply-vtag", "2",
            "--reply-src", endpoint, "--reply-dst", "10.0.0.1", "--reply-port-src", "53", "--reply-port-dst", clientPort,
        ];
    }

    [Fact]
    public async Task Flows_of_IPv6_with_an_endpoint_that_left_are_deleted()
    {
        Insert("udp", "fd00::1", 1000, "fd00:96::10", 53, Translated("fd00:244::1", "1000"));
        Insert("udp", "fd00::1", 1001, "fd00:96::10", 53, Translated("fd00:244::2", "1001"));
        Insert("udp", "fd00::1", 1000, "fd00:96::11", 53);
        var service = Plan("10.244.0.2", 53);
        service = service with
        {
            Family = IpFamily.IPv6,
            ServingEndpoints = [new IpEndpoint(Ip("fd00:244::2"), 53)],
            ClusterEndpoints = [new IpEndpoint(Ip("fd00:244::2"), 53)],
            Frontends = [service.Frontends[0] with { Key = service.Frontends[0].Key with { Address = Ip("fd00:96::10") } }],
        };

        Assert.Equal(1, await new StaleFlowCleaner(_client).CleanAsync(new StaleFlowPlan(IpFamily.IPv6, [service], [], _ => false), Ct));

        Assert.DoesNotContain(await ListAsync(FlowFilter.All), flow => flow.Reply.Source == Ip("fd00:244::1"));

        static string[] Translated(string endpoint, string clientPort) =>
            ["--reply-src", endpoint, "--reply-dst", "fd00::1", "--reply-port-src", "53", "--reply-port-dst", clientPort];
    }

    [Fact]
    public async Task Many_flows_are_deleted()
    {
        InsertMany(1000);
        var flows = await ListAsync(new FlowFilter { Protocol = Protocol.Udp });
        Assert.Equal(1000, flows.Count);

        Assert.Equal(1000, await _client.DeleteAsync(flows, Ct));

        Assert.Empty(await ListAsync(FlowFilter.All));
    }

    [Fact]
    public async Task A_client_that_keeps_its_port_is_moved_to_a_live_endpoint()
    {
        _ns.Exec("ip", "address", "add", "10.96.0.10/32", "dev", "lo");
        _ns.ExecWithInput("""
            table ip test {
              map to { type ipv4_addr : ipv4_addr; elements = { 10.96.0.10 : 127.0.0.1 }; }
              chain out { type nat hook output priority -100; meta l4proto udp dnat to ip daddr map @to : 5353; }
            }
            """, "nft", "-f", "-");
        using var client = _ns.Run(() => new UdpClient(new IPEndPoint(IPAddress.Any, 4000)));
        using var old = _ns.Run(() => new UdpClient(new IPEndPoint(IPAddress.Loopback, 5353)));
        using var next = _ns.Run(() => new UdpClient(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 5353)));
        var frontend = new IPEndPoint(IPAddress.Parse("10.96.0.10"), 53);
        await client.SendAsync(new byte[1], frontend, Ct);
        await old.ReceiveAsync(Ct);
        _ns.ExecWithInput("""
            flush map ip test to
            add element ip test to { 10.96.0.10 : 127.0.0.2 }
            """, "nft", "-f", "-");
        await client.SendAsync(new byte[1], frontend, Ct);
        await old.ReceiveAsync(Ct); // the flow sticks to the old endpoint: what the cleaner is for

        var deleted = await new StaleFlowCleaner(_client).CleanAsync(
            new StaleFlowPlan(IpFamily.IPv4, [Plan("127.0.0.2", 5353)], [], _ => false), Ct);
        await client.SendAsync(new byte[1], frontend, Ct);
        await next.ReceiveAsync(Ct);

        Assert.Equal(1, deleted);
        Assert.Equal(0, await new StaleFlowCleaner(_client).CleanAsync(
            new StaleFlowPlan(IpFamily.IPv4, [Plan("127.0.0.2", 5353)], [], _ => false), Ct));
    }

    private static ServicePortPlan Plan(string endpoint, ushort port) => new()
    {
        Name = new ServicePortName(new NamespacedName("default", "dns"), "", Protocol.Udp),
        Family = IpFamily.IPv4,
        ServingEndpoints = [new IpEndpoint(Ip(endpoint), port)],
        ClusterEndpoints = [new IpEndpoint(Ip(endpoint), port)],
        Frontends = [new Frontend
        {
            Key = new FrontendKey(Ip("10.96.0.10"), Protocol.Udp, 53), Kind = FrontendKind.ClusterIP, Destination = Destination.ClusterEndpoints,
        }],
    };

    private static IpAddr Ip(string text) => IpAddr.Parse(text);

    protected override void Insert(Protocol protocol, string from, ushort fromPort, string to, ushort port, uint mark = 0) => Insert(
        protocol.ToLowerName(), from, fromPort, to, port,
        [.. protocol == Protocol.Tcp ? ["--state", "ESTABLISHED"] : Array.Empty<string>(), "--mark", $"{mark}"]);

    private void Insert(string protocol, string from, int fromPort, string to, int port, params string[] more) => _ns.Exec(
        "conntrack", ["-I", "-p", protocol, "-s", from, "-d", to, "--sport", $"{fromPort}", "--dport", $"{port}", "-t", "600", .. more]);

    private void InsertMany(int count) => _ns.ExecWithInput(
        string.Concat(Enumerable.Range(0, count).Select(i => $"-I -p udp -s 10.1.{i >> 8}.{i & 255} -d 10.97.0.1 --sport 1 --dport 53 -t 600\n")),
        "conntrack", "-R", "-");

    private sealed class CountingTrace : INetlinkTrace
    {
        public long Received { get; private set; }

        public void Sent(uint portId, ReadOnlySpan<ReadOnlyMemory<byte>> parts) { }

        void INetlinkTrace.Received(uint portId, ReadOnlySpan<byte> datagram) => Received += datagram.Length;
    }
}
