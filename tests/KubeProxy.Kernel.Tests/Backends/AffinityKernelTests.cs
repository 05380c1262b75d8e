using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Tests.Backends;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>Session affinity of the nftables backend: connections through the kernel, and what it remembers of them.</summary>
[Collection("proxy processes")]
public sealed class AffinityKernelTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(3);
    private readonly MiniCluster _cluster = MiniCluster.Create(3);
    private readonly List<Socket> _listeners = [];
    private int _lastPort = 20_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_frontends_of_a_service_port_lead_to_the_same_endpoint()
    {
        _cluster.Listen(8080);
        await using var backend = await KernelBackend.StartAsync(_cluster.Node);
        await backend.FirstSyncAsync(Sticky(Long, 0, 1, 2) with
        {
            Frontends =
            [
                Plans.Frontend(FrontendKind.ClusterIP, "10.96.0.10", 80, Destination.ClusterEndpoints),
                Plans.Frontend(FrontendKind.NodePort, null, 30080, Destination.ClusterEndpoints) with { Masquerade = true },
                Plans.Frontend(FrontendKind.LoadBalancerIP, "198.18.20.1", 8000, Destination.ClusterEndpoints) with { Masquerade = true },
            ],
            HairpinAddresses = [.. Pods(0, 1, 2).Select(pod => pod.Address)],
        });
        foreach (var from in new[] { _cluster.Client, _cluster.Pods[0], _cluster.Node })
        {
            var home = await MiniCluster.PodsBehindAsync(from, "198.18.20.1", 8000, 10);
            Assert.Single(home);
            Assert.Equal(home, await MiniCluster.PodsBehindAsync(from, "10.96.0.10", 80, 10));
            Assert.Equal(home, await MiniCluster.PodsBehindAsync(from, MiniCluster.NodeAddress, 30080, 10));
        }
    }

    [Fact]
    public async Task Who_was_at_an_endpoint_that_left_is_forgotten_and_nobody_else()
    {
        _cluster.Listen(8080);
        await using var backend = await KernelBackend.StartAsync(_cluster.Node);
        await backend.FirstSyncAsync(Sticky(Long, 0, 1, 2), Other());
        var home = Assert.Single(await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 5));
        await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.11", 80, 5);
        Assert.Equal(2, Clients().Count);
        await backend.SyncAsync(Sticky(Long, [.. new[] { 0, 1, 2 }.Where(pod => pod != home)]));
        Assert.Single(Clients());
        // Back again, it is another one.
        await backend.SyncAsync(Sticky(Long, 0, 1, 2));
        Assert.Single(await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 5));
        Assert.Equal(2, Clients().Count);

        await backend.SyncAsync(new PlanChanges { Removed = [Plans.Name("sticky"), Plans.Name("other")] });
        Assert.Empty(Clients());
    }

    // Somebody removes the memory of an endpoint only after it left: until then it must not count either.
    [Fact]
    public async Task Memory_of_an_endpoint_that_left_does_not_count_before_it_is_removed()
    {
        _cluster.Listen(8080);
        await using var backend = await KernelBackend.StartAsync(_cluster.Node);
        await backend.FirstSyncAsync(Sticky(Long, 0, 1, 2));
        var home = Assert.Single(await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 5));
        var number = Clients().Single().Split(" : ")[1].Trim();
        _cluster.Node.Exec("nft", "delete", "element", "ip", "kube-proxy", "affinity-endpoints", $"{{ {number} }}");
        // Its slot gets another one.
        var slots = _cluster.Node.Exec("nft", "list", "map", "ip", "kube-proxy", "affinity-slots").Replace("elements = {", "", StringComparison.Ordinal).Split('\n', ',', '}')
            .Select(part => part.Trim().Split(" : ")).Where(part => part.Length == 2 && !part[0].StartsWith("typeof", StringComparison.Ordinal)).ToList();
        var slot = slots.Single(part => part[1] == number)[0];
        var another = slots.First(part => part[1] != number)[1];
        _cluster.Node.ExecWithInput($$"""
            delete element ip kube-proxy affinity-slots { {{slot}} }
            add element ip kube-proxy affinity-slots { {{slot}} : {{another}} }
            """, "nft", "-f", "-");
        var next = Assert.Single(await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 10));
        Assert.NotEqual(home, next);
    }

    [Fact]
    public async Task Timeout_that_is_changed_counts_from_the_next_connection_on()
    {
        _cluster.Listen(8080);
        await using var backend = await KernelBackend.StartAsync(_cluster.Node);
        await backend.FirstSyncAsync(Sticky(Long, 0, 1, 2));
        var home = await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 5);
        await backend.SyncAsync(Sticky(TimeSpan.FromSeconds(2), 0, 1, 2));
        Assert.Equal(home, await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 5));
        // The kernel shows the timeout that the element was added with.
        Assert.Matches("expires (1s|2s|[0-9]+ms)", Clients().Single());
        await Task.Delay(2500, Cancel);
        Assert.Empty(Clients());
    }

    [Fact]
    public async Task Policy_Local_uses_who_is_known_there_and_nobody_from_elsewhere()
    {
        _cluster.Listen(8080);
        await using var backend = await KernelBackend.StartAsync(_cluster.Node);
        var plan = Sticky(Long, 1, 2) with
        {
            Frontends =
            [
                Plans.Frontend(FrontendKind.ClusterIP, "10.96.0.10", 80, Destination.ClusterEndpoints),
                Plans.Frontend(FrontendKind.LoadBalancerIP, "198.18.20.1", 80, Destination.LocalEndpoints) with { ShortCircuit = true },
                Plans.Frontend(FrontendKind.NodePort, null, 30080, Destination.LocalEndpoints) with { ShortCircuit = true },
            ],
            HairpinAddresses = [.. Pods(0, 1, 2).Select(pod => pod.Address)],
        };
        // Known at pod 2, which is then not on this node: both stay where they are, each at its own.
        await backend.FirstSyncAsync(plan with { ClusterEndpoints = [.. Pods(2)], LocalEndpoints = [.. Pods(0, 1)] });
        Assert.Equal([2], await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 5));
        await backend.SyncAsync(plan with { ClusterEndpoints = [.. Pods(0, 1, 2)], LocalEndpoints = [.. Pods(0, 1)] });
        var local = Assert.Single(await MiniCluster.PodsBehindAsync(_cluster.Client, "198.18.20.1", 80, 10));
        Assert.NotEqual(2, local);
        Assert.Equal([local], await MiniCluster.PodsBehindAsync(_cluster.Client, MiniCluster.NodeAddress, 30080, 10));
        Assert.Equal([2], await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 10));
        // Who was at one on this node goes there by all frontends.
        Assert.Single(await MiniCluster.PodsBehindAsync(_cluster.Pods[2], "198.18.20.1", 80, 5));
        await backend.SyncAsync(plan with { ClusterEndpoints = [.. Pods(0, 1)], LocalEndpoints = [.. Pods(0, 1)] });
        Assert.Equal([local], await MiniCluster.PodsBehindAsync(_cluster.Client, "198.18.20.1", 80, 10));
        // The local one leaves.
        await backend.SyncAsync(plan with { ClusterEndpoints = [.. Pods(1 - local)], LocalEndpoints = [.. Pods(1 - local)] });
        Assert.Equal([1 - local], await MiniCluster.PodsBehindAsync(_cluster.Client, "198.18.20.1", 80, 10));
        Assert.Equal([1 - local], await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 10));
    }

    [Fact]
    public async Task Internal_policy_Local_stays_on_this_node()
    {
        _cluster.Listen(8080);
        await using var backend = await KernelBackend.StartAsync(_cluster.Node);
        await backend.FirstSyncAsync(Sticky(Long, 0, 1, 2) with
        {
            Frontends =
            [
                Plans.Frontend(FrontendKind.ClusterIP, "10.96.0.10", 80, Destination.LocalEndpoints),
                Plans.Frontend(FrontendKind.NodePort, null, 30080, Destination.ClusterEndpoints) with { Masquerade = true },
            ],
            LocalEndpoints = [.. Pods(0, 1)],
        });
        var local = Assert.Single(await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 10));
        Assert.NotEqual(2, local);
        Assert.Equal([local], await MiniCluster.PodsBehindAsync(_cluster.Client, MiniCluster.NodeAddress, 30080, 10));
    }

    [Theory]
    [InlineData(ProtocolType.Tcp, "10.96.0.10")]
    [InlineData(ProtocolType.Udp, "10.96.0.10")]
    [InlineData(ProtocolType.Tcp, "fd00:10:96::10")]
    [InlineData(ProtocolType.Udp, "fd00:10:96::10")]
    public async Task Clients_stay_with_both_protocols_in_both_families_over_restarts(ProtocolType protocol, string address)
    {
        ListenInBothFamilies(protocol);
        var plan = InBothFamilies(protocol, address, 0, 1, 2);
        int home, atNode;
        await using (var first = await KernelBackend.StartAsync(_cluster.Node, plan.Family))
        {
            await first.FirstSyncAsync(plan);
            home = await AskAsync(_cluster.Client, protocol, address);
            atNode = await AskAsync(_cluster.Node, protocol, address);
            for (var i = 0; i < 10; i++) Assert.Equal(home, await AskAsync(_cluster.Client, protocol, address));
        }

        await using var backend = await KernelBackend.StartAsync(_cluster.Node, plan.Family);
        await backend.FirstSyncAsync(plan);
        Assert.Equal(0, backend.Sent.WriteMessages);
        for (var i = 0; i < 10; i++) Assert.Equal(home, await AskAsync(_cluster.Client, protocol, address));
        for (var i = 0; i < 10; i++) Assert.Equal(atNode, await AskAsync(_cluster.Node, protocol, address));

        await backend.SyncAsync(InBothFamilies(protocol, address, home, (home + 1) % 3));
        Assert.Equal(home, await AskAsync(_cluster.Client, protocol, address));
        await backend.SyncAsync(InBothFamilies(protocol, address, (home + 1) % 3, (home + 2) % 3));
        var next = await AskAsync(_cluster.Client, protocol, address);
        Assert.NotEqual(home, next);
        var after = new List<int>();
        for (var i = 0; i < 10; i++) after.Add(await AskAsync(_cluster.Client, protocol, address));
        Assert.True(after.All(pod => pod == next), $"was at {home}, then at {next}, then at {string.Join(' ', after)}");
        NftPrintsWhatItLoads();
    }

    [Theory]
    [InlineData("10.96.0.10")]
    [InlineData("fd00:10:96::10")]
    public async Task Clients_in_the_sets_of_the_old_layout_are_carried_over_with_the_time_that_they_have_left(string address)
    {
        ListenInBothFamilies(ProtocolType.Tcp);
        var plan = InBothFamilies(ProtocolType.Tcp, address, 0, 1, 2);
        var isIPv4 = plan.Family == IpFamily.IPv4;
        var client = isIPv4 ? MiniCluster.ClientAddress : "fd00:203::50";
        var script = new StringBuilder();
        var table = isIPv4 ? "ip kube-proxy" : "ip6 kube-proxy";
        script.AppendLine(CultureInfo.InvariantCulture, $$"""add table {{table}} { comment "rules for kube-proxy" ; }""");
        foreach (var endpoint in plan.ClusterEndpoints)
        {
            script.AppendLine(CultureInfo.InvariantCulture, $$"""
                add set {{table}} {{OldSet(endpoint)}} { type {{(isIPv4 ? "ipv4_addr" : "ipv6_addr")}}; size 1048576; flags dynamic,timeout; }
                add chain {{table}} endpoint-{{OldSet(endpoint)[9..]}}
                add rule {{table}} endpoint-{{OldSet(endpoint)[9..]}} update @{{OldSet(endpoint)}} { {{(isIPv4 ? "ip" : "ip6")}} saddr timeout 3h }
                """);
        }

        script.AppendLine(CultureInfo.InvariantCulture, $$"""add element {{table}} {{OldSet(plan.ClusterEndpoints[1])}} { {{client}} timeout 3h expires 30m }""");
        _cluster.Node.ExecWithInput(script.ToString(), "nft", "-f", "-");

        await using var backend = await KernelBackend.StartAsync(_cluster.Node, plan.Family);
        await backend.FirstSyncAsync(plan);
        var carried = Assert.Single(Clients(plan.Family));
        Assert.Matches("expires 2[0-9]m|expires 30m", carried);
        for (var i = 0; i < 10; i++) Assert.Equal(1, await AskAsync(_cluster.Client, ProtocolType.Tcp, address));
        // It is the same entry, with the full time now.
        var renewed = Assert.Single(Clients(plan.Family));
        Assert.Matches("expires (2h59m|3h)", renewed);
        Assert.Equal(carried.Split(' ')[0], renewed.Split(' ')[0]);
        Assert.DoesNotContain(OldSet(plan.ClusterEndpoints[0]), _cluster.Node.Exec("nft", "list", "ruleset"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_of_upstream_are_carried_over()
    {
        _cluster.Listen(8080);
        const string set = "affinity-ZIATHYQC-default/sticky/tcp/http__10.244.1.2/8080";
        _cluster.Node.ExecWithInput(
            $"{UpstreamTable.Services}{UpstreamTable.Sticky}\nadd element ip kube-proxy {set} {{ {MiniCluster.ClientAddress} expires 20m }}\n", "nft", "-f", "-");
        await using var backend = await KernelBackend.StartAsync(_cluster.Node);
        await backend.FirstSyncAsync(Sticky(Long, 0, 1, 2));
        Assert.Matches("expires (19m|20m)", Assert.Single(Clients()));
        Assert.Equal([1], await MiniCluster.PodsBehindAsync(_cluster.Client, "10.96.0.10", 80, 10));
    }

    public void Dispose()
    {
        foreach (var listener in _listeners) listener.Dispose();
        _cluster.Dispose();
    }

    private void NftPrintsWhatItLoads()
    {
        using var fromText = NetworkNamespace.Create();
        fromText.ExecWithInput(_cluster.Node.Exec("nft", "list", "ruleset"), "nft", "-f", "-");
        Assert.Equal(Timeless(_cluster.Node), Timeless(fromText));

        static string Timeless(NetworkNamespace ns) =>
            string.Join('\n', ns.Exec("nft", "list", "ruleset").Split('\n').Where(line => !line.Contains("expires", StringComparison.Ordinal)));
    }

    private List<string> Clients(IpFamily family = IpFamily.IPv4) =>
        [.. _cluster.Node.Exec("nft", "list", "map", family == IpFamily.IPv4 ? "ip" : "ip6", "kube-proxy", "affinity-clients").Split('\n')
            .Where(line => line.Contains("expires", StringComparison.Ordinal)).SelectMany(line => line.Replace("elements = {", "").Trim(' ', '\t', '}').Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];

    private static ServicePortPlan Sticky(TimeSpan timeout, params int[] pods) =>
        Plans.ClusterIp("sticky", "10.96.0.10", 1) with { ClusterEndpoints = [.. Pods(pods)], AffinityTimeout = timeout };

    private static ServicePortPlan Other() => Sticky(Long, 0, 1, 2) with
    {
        Name = Plans.Name("other"),
        Frontends = [Plans.Frontend(FrontendKind.ClusterIP, "10.96.0.11", 80, Destination.ClusterEndpoints)],
    };

    private static IpEndpoint[] Pods(params int[] pods) => [.. pods.Select(pod => new IpEndpoint(IpAddr.Parse(MiniCluster.PodAddress(pod)), 8080)).Order()];

    private static ServicePortPlan InBothFamilies(ProtocolType protocol, string address, params int[] pods)
    {
        var family = IpAddr.Parse(address).Family;
        var of = protocol == ProtocolType.Udp ? Protocol.Udp : Protocol.Tcp;
        return Plans.ClusterIp("sticky", address, 1) with
        {
            Name = Plans.Name("sticky", of),
            Family = family,
            Frontends = [Plans.Frontend(FrontendKind.ClusterIP, address, 80, Destination.ClusterEndpoints, of)],
            ClusterEndpoints = [.. pods.Select(pod => new IpEndpoint(IpAddr.Parse(family == IpFamily.IPv4 ? MiniCluster.PodAddress(pod) : $"fd00:10:244:{pod}::2"), 8080)).Order()],
            ServingEndpoints = [.. pods.Select(pod => new IpEndpoint(IpAddr.Parse(family == IpFamily.IPv4 ? MiniCluster.PodAddress(pod) : $"fd00:10:244:{pod}::2"), 8080)).Order()],
            AffinityTimeout = Long,
        };
    }

    private void ListenInBothFamilies(ProtocolType protocol)
    {
        Address(_cluster.Node, "eth0", "fd00:203::11/64");
        Address(_cluster.Client, "eth0", "fd00:203::50/64");
        _cluster.Client.Exec("ip", "-6", "route", "add", "default", "via", "fd00:203::11");
        _cluster.Node.Exec("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
        _cluster.Node.Exec("ip", "-6", "route", "add", "default", "dev", "uplink");
        for (var i = 0; i < _cluster.Pods.Count; i++)
        {
            Address(_cluster.Node, $"cali{i}", $"fd00:10:244:{i}::1/64");
            Address(_cluster.Pods[i], "eth0", $"fd00:10:244:{i}::2/64");
            _cluster.Pods[i].Exec("ip", "-6", "route", "add", "default", "via", $"fd00:10:244:{i}::1");
            var number = i;
            var socket = _cluster.Pods[i].Run(() =>
            {
                var listener = Socket(AddressFamily.InterNetworkV6, protocol);
                listener.DualMode = true;
                listener.Bind(new IPEndPoint(IPAddress.IPv6Any, 8080));
                if (protocol == ProtocolType.Tcp) listener.Listen(64);
                return listener;
            });
            _listeners.Add(socket);
            _ = AnswerAsync(socket, protocol, Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
        }

        static void Address(NetworkNamespace ns, string device, string address) => ns.Exec("ip", "-6", "address", "add", address, "dev", device, "nodad");
    }

    private static async Task AnswerAsync(Socket socket, ProtocolType protocol, byte[] answer)
    {
        var buffer = new byte[2048];
        try
        {
            while (true)
            {
                if (protocol == ProtocolType.Tcp)
                {
                    using var accepted = await socket.AcceptAsync();
                    await accepted.SendAsync(answer);
                }
                else
                {
                    var from = (await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.IPv6Any, 0))).RemoteEndPoint;
                    await socket.SendToAsync(answer, from);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task<int> AskAsync(NetworkNamespace from, ProtocolType protocol, string address)
    {
        var ip = IPAddress.Parse(address);
        using var socket = from.Run(() => Socket(ip.AddressFamily, protocol));
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        timeout.CancelAfter(3000);
        // A port that was used a moment ago is the same flow as then, for UDP, and goes on to where that went.
        if (protocol == ProtocolType.Udp) socket.Bind(new IPEndPoint(ip.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, ++_lastPort));
        await socket.ConnectAsync(ip, 80, timeout.Token);
        // Of odd and of even length, for the checksum.
        if (protocol == ProtocolType.Udp) await socket.SendAsync(new byte[1 + Random.Shared.Next(1000)], timeout.Token);
        var buffer = new byte[16];
        return int.Parse(Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, timeout.Token)), CultureInfo.InvariantCulture);
    }

    private static Socket Socket(AddressFamily family, ProtocolType protocol) =>
        new(family, protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram, protocol);

    // As upstream names them, and as this proxy did.
    private static string OldSet(IpEndpoint endpoint)
    {
        const string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        var text = $"default/sticky/tcp/http__{endpoint.Address.ToString().Replace(':', '.')}/{endpoint.Port}";
        var bits = SHA256.HashData(Encoding.UTF8.GetBytes(text))[..5].Aggregate(0UL, (value, octet) => (value << 8) | octet);
        var hash = string.Concat(Enumerable.Range(0, 8).Select(i => digits[(int)(bits >> (35 - (5 * i))) & 31]));
        return $"affinity-{hash}-{text}";
    }
}
