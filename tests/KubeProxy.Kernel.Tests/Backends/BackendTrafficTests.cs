using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Kernel.Tests.Iptables;
using KubeProxy.Kernel.Tests.Nftables;
using KubeProxy.Netfilter.Tests.Backends;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>Packets through a backend in this process.</summary>
[Collection("proxy processes")]
public sealed class BackendTrafficTests : IDisposable
{
    private const string ClusterIp = "10.96.0.10";
    private const int NodePort = 30080;
    private readonly MiniCluster _cluster = MiniCluster.Create(3);

    public BackendTrafficTests() => _cluster.Listen(8080);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Client_with_affinity_stays_where_it_is_as_long_as_its_endpoint_does()
    {
        var first = await KernelBackend.StartAsync(_cluster.Node);
        await first.FirstSyncAsync(Sticky(TimeSpan.FromHours(3), 0, 1, 2));
        var home = (await ConnectedPodsAsync(1)).Single();
        Assert.Equal([home], await ConnectedPodsAsync(15));
        await first.DisposeAsync();

        await using var backend = await KernelBackend.StartAsync(_cluster.Node);
        await backend.FirstSyncAsync(Sticky(TimeSpan.FromHours(3), 0, 1, 2));
        Assert.Equal(0, backend.Sent.WriteMessages);
        Assert.Equal([home], await ConnectedPodsAsync(15));

        var other = (home + 1) % 3;
        await backend.SyncAsync(Sticky(TimeSpan.FromHours(3), home, other));
        Assert.Equal([home], await ConnectedPodsAsync(15));
        await backend.SyncAsync(Sticky(TimeSpan.FromHours(3), 0, 1, 2));
        Assert.Equal([home], await ConnectedPodsAsync(15));

        await backend.SyncAsync(Sticky(TimeSpan.FromHours(1), 0, 1, 2));
        Assert.Equal([home], await ConnectedPodsAsync(15));

        await backend.SyncAsync(Sticky(TimeSpan.FromHours(1), other, (home + 2) % 3));
        var newHome = (await ConnectedPodsAsync(1)).Single();
        Assert.NotEqual(home, newHome);
        await backend.SyncAsync(Sticky(TimeSpan.FromHours(1), 0, 1, 2));
        Assert.Equal([newHome], await ConnectedPodsAsync(15));
    }

    [Fact]
    public async Task Affinity_ends_with_its_timeout()
    {
        await using var backend = await KernelBackend.StartAsync(_cluster.Node);
        await backend.FirstSyncAsync(Sticky(TimeSpan.FromSeconds(1), 0, 1, 2));
        var pods = new HashSet<int>();
        // A client that always came to the same one of three by chance would do so once in 177147 runs.
        for (var i = 0; i < 12 && pods.Count < 2; i++)
        {
            pods.UnionWith(await ConnectedPodsAsync(1));
            await Task.Delay(1500, Cancel);
        }

        Assert.True(pods.Count > 1);
    }

    /// <summary>The first packet of a connection decides how all are translated: one that came before the rules must not decide.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Client_that_was_there_before_the_service_gets_through(bool iptables)
    {
        const string balancerIp = "198.18.30.1";
        _cluster.Node.Exec("ip", "neigh", "add", balancerIp, "lladdr", "02:00:00:00:00:01", "dev", "uplink", "nud", "permanent");
        await using IAsyncDisposable node = iptables ? new IptablesNode(_cluster.Node, ownsNamespace: false) : await KernelBackend.StartAsync(_cluster.Node);
        await ServeAsync(new PlanChanges { Node = Plans.Node() });
        using var client = _cluster.Client.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        client.Bind(new IPEndPoint(IPAddress.Any, 40000));
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var connecting = client.ConnectAsync(IPAddress.Parse(balancerIp), 80, timeout.Token).AsTask();
        await HostTests.EventuallyAsync(() => Task.FromResult(_cluster.Node.Exec("conntrack", "-L", "-p", "tcp", "-d", balancerIp).Contains("UNREPLIED", StringComparison.Ordinal)));

        var service = Plans.ClusterIp("lb", "10.96.0.30", 0) with { ClusterEndpoints = [.. Pods(8080, 0)] };
        var result = await ServeAsync(new PlanChanges
        {
            Updated = [service with { Frontends = service.Frontends.Add(Plans.Frontend(FrontendKind.LoadBalancerIP, balancerIp, 80, Destination.ClusterEndpoints)) }],
        });

        Assert.Equal(1, result.DeletedFlows);
        await connecting;

        async Task<SyncResult> ServeAsync(PlanChanges changes)
        {
            if (node is not IptablesNode written) return await ((KernelBackend)node).SyncAsync(changes);
            if (changes.Node is not null) await written.StartAsync();
            return await written.SyncAsync(changes);
        }
    }

    [Fact]
    public async Task Udp_flow_follows_when_the_last_endpoint_goes_and_another_comes()
    {
        var responders = Enumerable.Range(0, 3).Select(Respond).ToArray();
        using var client = _cluster.Client.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        try
        {
            await using var backend = await KernelBackend.StartAsync(_cluster.Node);
            await backend.FirstSyncAsync(Dns(0));
            await client.ConnectAsync(IPAddress.Parse(ClusterIp), 53, Cancel);
            Assert.Equal(0, await AskAsync(client));
            Assert.Contains($"dst={ClusterIp} ", Flows(), StringComparison.Ordinal);

            var result = await backend.SyncAsync(Dns());
            Assert.Equal(1, result.DeletedFlows);
            Assert.DoesNotContain($"dst={ClusterIp} ", Flows(), StringComparison.Ordinal);
            var refused = await Assert.ThrowsAsync<SocketException>(() => AskAsync(client));
            Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);

            await backend.SyncAsync(Dns(1));
            Assert.Equal(1, await AskAsync(client));
            result = await backend.SyncAsync(Dns(2));
            Assert.Equal(1, result.DeletedFlows);
            Assert.Equal(2, await AskAsync(client));

            // An endpoint more is no reason to move anybody.
            result = await backend.SyncAsync(Dns(0, 1, 2));
            Assert.Equal(0, result.DeletedFlows);
            Assert.Equal(2, await AskAsync(client));
        }
        finally
        {
            foreach (var responder in responders) responder.Dispose();
        }

        string Flows() => _cluster.Node.Exec("conntrack", "-L", "-p", "udp");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // with the chains and sets of a service with session affinity
    public async Task Table_of_upstream_is_taken_over_without_a_gap(bool sticky)
    {
        ServicePortPlan[] plans = [Web(0, 1, 2), Plans.ClusterIp("empty", "10.96.0.11"), Balancer(), .. sticky ? [StickyBesides()] : Array.Empty<ServicePortPlan>()];
        _cluster.Node.ExecWithInput(UpstreamTable.Services + (sticky ? UpstreamTable.Sticky : ""), "nft", "-f", "-");
        using var stop = new CancellationTokenSource();
        using var established = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80);
        Task<int>[] probes =
        [
            ProbeAsync(ClusterIp, 80, stop.Token), ProbeAsync(ClusterIp, 80, stop.Token),
            ProbeAsync(MiniCluster.NodeAddress, NodePort, stop.Token), ProbeAsync(MiniCluster.NodeAddress, NodePort, stop.Token),
        ];
        await Task.Delay(300, Cancel);
        await using (var backend = await KernelBackend.StartAsync(_cluster.Node))
        {
            await backend.FirstSyncAsync(plans);
            await Task.Delay(300, Cancel);
        }

        await stop.CancelAsync();
        foreach (var connections in await Task.WhenAll(probes)) Assert.True(connections > 10, $"only {connections} connections");
        await established.PingAsync();

        using var witness = NetworkNamespace.Create();
        await using var scratch = await KernelBackend.StartAsync(witness);
        await scratch.FirstSyncAsync(plans);
        NftListings.AssertSameObjects(witness, _cluster.Node);
    }

    public void Dispose() => _cluster.Dispose();

    private async Task<int> ProbeAsync(string address, int port, CancellationToken stop)
    {
        var connections = 0;
        while (!stop.IsCancellationRequested)
        {
            using var connection = await MiniCluster.ConnectAsync(_cluster.Client, address, port);
            connections++;
        }

        return connections;
    }

    private Task<SortedSet<int>> ConnectedPodsAsync(int attempts) => MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, attempts);

    private Socket Respond(int pod)
    {
        var socket = _cluster.Pods[pod].Run(() =>
        {
            var s = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            s.Bind(new IPEndPoint(IPAddress.Any, 5353));
            return s;
        });
        _ = AnswerAsync();
        return socket;

        async Task AnswerAsync()
        {
            var answer = Encoding.ASCII.GetBytes(pod.ToString(CultureInfo.InvariantCulture));
            var buffer = new byte[16];
            try
            {
                while (true)
                {
                    var question = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                    await socket.SendToAsync(answer, question.RemoteEndPoint);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }

    private static async Task<int> AskAsync(Socket client)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        timeout.CancelAfter(3000);
        var buffer = new byte[16];
        await client.SendAsync("?"u8.ToArray(), timeout.Token);
        var length = await client.ReceiveAsync(buffer, timeout.Token);
        return int.Parse(Encoding.ASCII.GetString(buffer, 0, length), CultureInfo.InvariantCulture);
    }

    private static IpEndpoint[] Pods(int port, params int[] pods) =>
        [.. pods.Select(pod => new IpEndpoint(IpAddr.Parse(MiniCluster.PodAddress(pod)), (ushort)port)).Order()];

    private static ServicePortPlan Sticky(TimeSpan timeout, params int[] pods) =>
        Plans.ClusterIp("web", ClusterIp, 1) with { ClusterEndpoints = [.. Pods(8080, pods)], AffinityTimeout = timeout };

    private static ServicePortPlan StickyBesides() => Sticky(TimeSpan.FromHours(3), 0, 1) with
    {
        Name = Plans.Name("sticky"),
        Frontends = [Plans.Frontend(FrontendKind.ClusterIP, "10.96.0.13", 80, Destination.ClusterEndpoints)],
    };

    private static ServicePortPlan Web(params int[] pods) => Plans.ClusterIp("web", ClusterIp, 1) with
    {
        Frontends =
        [
            Plans.Frontend(FrontendKind.ClusterIP, ClusterIp, 80, Destination.ClusterEndpoints),
            Plans.Frontend(FrontendKind.NodePort, null, NodePort, Destination.ClusterEndpoints) with { Masquerade = true },
        ],
        ClusterEndpoints = [.. Pods(8080, pods)],
    };

    private static ServicePortPlan Balancer() => Plans.ClusterIp("lb", "10.96.0.12", 1) with
    {
        Frontends =
        [
            Plans.Frontend(FrontendKind.ClusterIP, "10.96.0.12", 80, Destination.ClusterEndpoints),
            Plans.Frontend(FrontendKind.LoadBalancerIP, "198.18.20.1", 80, Destination.ClusterEndpoints) with
            {
                Masquerade = true,
                AllowedSources = [new IpRange(IpAddr.Parse("203.0.113.0"), IpAddr.Parse("203.0.113.127"))],
            },
        ],
        ClusterEndpoints = [.. Pods(8080, 0)],
    };

    private static ServicePortPlan Dns(params int[] pods) => new()
    {
        Name = Plans.Name("dns", Protocol.Udp),
        Family = IpFamily.IPv4,
        Frontends = [Plans.Frontend(FrontendKind.ClusterIP, ClusterIp, 53, pods.Length == 0 ? Destination.Reject : Destination.ClusterEndpoints, Protocol.Udp)],
        ClusterEndpoints = [.. Pods(5353, pods)],
        ServingEndpoints = [.. Pods(5353, pods)],
    };
}
