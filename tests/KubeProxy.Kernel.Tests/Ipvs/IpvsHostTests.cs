using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using KubeProxy.Kernel.Tests.Backends;

namespace KubeProxy.Kernel.Tests.Ipvs;

/// <summary>
/// The program in ipvs mode, with ipvsadm, ip and nft as witnesses. First the faults for which this mode is known, each with what a
/// naive implementation makes of it; then what every mode promises.
/// </summary>
[Collection("proxy processes")]
[Trait("Kernel", "uml")]
public sealed partial class IpvsHostTests : IDisposable
{
    private const string ClusterIp = "10.96.0.10";
    private const int NodePort = 30080;
    private const int ClientPort = 40000;
    private readonly MiniCluster _cluster = MiniCluster.Create(3);

    private readonly Manifests _manifests = new()
    {
        Mode = "ipvs",
        Settings = "ipvs: {syncPeriod: 1s, minSyncPeriod: 1ms, excludeCIDRs: [192.0.2.0/24]}",
    };

    public IpvsHostTests()
    {
        Assert.SkipUnless(File.Exists("/proc/net/ip_vs") || HasIpvs(), "the kernel has no IPVS (CONFIG_IP_VS)");
        _cluster.Listen(8080);
        _manifests.Service("web", ClusterIp, NodePort);
        _manifests.Endpoints("web", 0, 1, 2);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connections_are_balanced_on_every_frontend()
    {
        using var proxy = await StartAsync();
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 6));
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Client, MiniCluster.NodeAddress, NodePort, 6));
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Pods[0], ClusterIp, 80, 6));
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Node, ClusterIp, 80, 6));
        Assert.Contains($"inet {ClusterIp}/32", Ip("address", "show", "dev", "kube-ipvs0"), StringComparison.Ordinal);
        Assert.Contains("state DOWN", Ip("link", "show", "dev", "kube-ipvs0"), StringComparison.Ordinal);
        Assert.Contains($"TCP  {ClusterIp}:80 rr", Listing(), StringComparison.Ordinal);
        _manifests.Endpoints("web");
        await EventuallyAsync(async () => await FailureAsync() == SocketError.ConnectionRefused);
    }

    // Naive: conn_reuse_mode=0 lets the port go where it went before, for as long as IPVS remembers the old connection (TIME_WAIT: two
    // minutes), even to a pod that takes no more connections; 1 on a kernel before 5.9 drops the first SYN, which costs a second.
    [Fact]
    public async Task A_port_that_comes_back_is_balanced_anew_without_delay()
    {
        _cluster.Client.Exec("sysctl", "-qw", "net.ipv4.tcp_max_tw_buckets=0"); // The client may use its port at once.
        using var proxy = await StartAsync(0);
        Assert.Equal(0, await ConnectAndCloseAsync());
        _manifests.Endpoints("web", [1], [0]);
        await WaitForWeightAsync(0, 0);
        Assert.Equal(0, proxy.Terminate()); // It would set right what follows.

        Sysctl("conn_reuse_mode", 0);
        Sysctl("expire_nodest_conn", 0); // Newer kernels let this one help, too.
        Assert.Equal(0, await ConnectAndCloseAsync());
        Sysctl("conn_reuse_mode", 1);
        var start = TimeProvider.System.GetTimestamp();
        Assert.Equal(1, await ConnectAndCloseAsync());
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMilliseconds(900), "a SYN was lost");
    }

    // Naive: a pod that drains gets new connections of old ports for ever, so it never drains. The setting is checked, too, because
    // the test above sets it.
    [Fact]
    public async Task A_draining_pod_is_removed_although_a_client_goes_on_with_its_port()
    {
        using var proxy = await StartAsync(0);
        Assert.Equal("1", _cluster.Node.Exec("cat", "/proc/sys/net/ipv4/vs/conn_reuse_mode").Trim());
        Assert.Equal(0, await ConnectAndResetAsync());
        using var held = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80);
        _manifests.Endpoints("web", [1], [0]);
        await WaitForWeightAsync(0, 0);
        for (var i = 0; i < 5; i++) Assert.Equal(1, await ConnectAndResetAsync());
        await held.PingAsync();
        held.Reset();
        await EventuallyAsync(() => Task.FromResult(!IsDestination(0)), 60_000);
    }

    // Naive: expire_quiescent_template=0 keeps clients with affinity at a pod with weight 0, for up to three hours.
    [Fact]
    public async Task Session_affinity_does_not_hold_on_to_a_draining_pod()
    {
        _manifests.Service("web", ClusterIp, extraSpec: ""","sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":600}}""");
        using var proxy = await StartAsync(0);
        Assert.Equal([0], await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 2));
        _manifests.Endpoints("web", [1, 2], [0]);
        await WaitForWeightAsync(0, 0);

        Assert.Equal("1", _cluster.Node.Exec("cat", "/proc/sys/net/ipv4/vs/expire_quiescent_template").Trim());
        Assert.Equal(0, proxy.Terminate()); // It would set right what follows.
        Sysctl("expire_quiescent_template", 0);
        Assert.Equal([0], await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 2));
        Sysctl("expire_quiescent_template", 1);
        var now = Assert.Single(await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 6));
        Assert.NotEqual(0, now);
    }

    // Naive: as TCP, weight 0 until no connection is left; a client that keeps sending from one port keeps its flow to the pod that is gone.
    [Fact]
    public async Task Udp_goes_to_another_pod_at_once()
    {
        UdpService("dns", "10.96.0.53", "", 0);
        using var first = Answer(0);
        using var second = Answer(1);
        using var proxy = await StartAsync(0, 1);
        using var client = _cluster.Client.Run(() => new UdpClient(new IPEndPoint(IPAddress.Any, ClientPort)));
        client.Connect("10.96.0.53", 53);
        Assert.Equal("0", await AskAsync(client));

        UdpService("dns", "10.96.0.53", "", 1);
        await EventuallyAsync(() => Task.FromResult(Regex.IsMatch(Listing(), @"UDP  10\.96\.0\.53:53 rr\n  -> 10\.244\.1\.2:8080 ")));
        Assert.Equal("1", await AskAsync(client));
    }

    // Naive: the destination is there, so nothing is done, and its weight stays 0.
    [Fact]
    public async Task A_pod_that_is_wanted_again_while_the_proxy_is_away_gets_its_weight_back()
    {
        PodConnection held;
        using (var proxy = await StartAsync(0, 1))
        {
            do held = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80);
            while (held.Pod != 0);
            _manifests.Endpoints("web", [1], [0]);
            await WaitForWeightAsync(0, 0);
            proxy.Kill();
        }

        using (held)
        {
            _manifests.Endpoints("web", 0, 1);
            using var again = await StartAsync(0, 1);
            Assert.Equal(1, WeightOf(0));
            Assert.Equal([0, 1], await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 6));
            await held.PingAsync();
        }
    }

    // Naive: without masquerading the pod gets a packet with its own address for a source, and drops it.
    [Fact]
    public async Task A_pod_reaches_itself_through_its_service()
    {
        using var proxy = await StartAsync(0);
        using var connection = await MiniCluster.ConnectAsync(_cluster.Pods[0], ClusterIp, 80);
        Assert.Equal(0, connection.Pod);
        Assert.DoesNotContain(MiniCluster.PodAddress(0) + ":8080", _cluster.Pods[0].Exec("ss", "-Htn", "src", MiniCluster.PodAddress(0) + ":8080", "dst", MiniCluster.PodAddress(0)), StringComparison.Ordinal);
        await connection.PingAsync();
    }

    [Fact]
    public async Task Draining_goes_on_after_a_restart()
    {
        using var proxy = await StartAsync(0);
        using var held = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80);
        _manifests.Endpoints("web", [1], [0]);
        await WaitForWeightAsync(0, 0);
        proxy.Kill();
        await held.PingAsync();

        using var again = ProxyProcess.Start(_cluster.Node, _manifests);
        await again.WaitReadyAsync(60_000);
        Assert.Equal(0, WeightOf(0));
        await held.PingAsync();
        Assert.Equal([1], await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 4));
        held.Reset();
        await EventuallyAsync(() => Task.FromResult(!IsDestination(0)), 60_000);
    }

    [Fact]
    public async Task A_restart_with_nothing_changed_writes_nothing()
    {
        string before, addresses;
        using (var proxy = await StartAsync(0, 1, 2))
        {
            (before, addresses) = (Saved(), Ip("address", "show", "dev", "kube-ipvs0"));
            Assert.Equal(0, proxy.Terminate());
        }

        Assert.Equal(before, Saved());
        using var held = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80);
        using var nft = new NftMonitorProcess(_cluster.Node);
        using (var again = await StartAsync(0, 1, 2))
        {
            await held.PingAsync();
            Assert.Contains("IPv4: synced, 0 operations", again.Log, StringComparison.Ordinal);
        }

        Assert.Equal("", await nft.StopAsync());
        Assert.Equal((before, addresses), (Saved(), Ip("address", "show", "dev", "kube-ipvs0")));
    }

    [Fact]
    public async Task What_others_break_is_repaired()
    {
        using var proxy = await StartAsync(0, 1, 2);
        var intact = State();
        foreach (var command in new[]
        {
            "ipvsadm -C",
            "ipvsadm -D -t 10.96.0.10:80",
            "ipvsadm -d -t 10.96.0.10:80 -r 10.244.1.2:8080",
            "ipvsadm -e -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 0",
            "ipvsadm -E -t 10.96.0.10:80 -s sh",
            "ipvsadm -a -t 10.96.0.10:80 -r 10.244.9.9:8080 -m",
            "ip address delete 10.96.0.10/32 dev kube-ipvs0",
            "ip link delete kube-ipvs0",
            "nft flush ruleset",
        })
        {
            var (words, repairs) = (command.Split(' '), await proxy.MetricAsync("kubeproxy_sync_repairs_total"));
            _cluster.Node.Exec(words[0], words[1..]);
            await EventuallyAsync(async () => await proxy.MetricAsync("kubeproxy_sync_repairs_total") > repairs && State() == intact, 30_000);
        }

        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 6));
    }

    [Fact]
    public async Task Virtual_services_of_others_stay_where_that_is_agreed()
    {
        _cluster.Node.Exec("ipvsadm", "-A", "-t", "192.0.2.1:80", "-s", "rr"); // In excludeCIDRs.
        _cluster.Node.Exec("ipvsadm", "-A", "-f", "7", "-s", "rr");
        // As an upstream kube-proxy leaves them: one that is wanted, with a pod that is gone and another weight, and one of a service that is gone.
        Ip("link", "add", "kube-ipvs0", "type", "dummy");
        foreach (var address in new[] { ClusterIp, "10.96.0.99" }) Ip("address", "add", address + "/32", "dev", "kube-ipvs0");
        _cluster.Node.Exec("ipvsadm", "-A", "-t", ClusterIp + ":80", "-s", "rr");
        _cluster.Node.Exec("ipvsadm", "-a", "-t", ClusterIp + ":80", "-r", "10.244.0.2:8080", "-m", "-w", "5");
        _cluster.Node.Exec("ipvsadm", "-a", "-t", ClusterIp + ":80", "-r", "10.244.9.9:8080", "-m");
        _cluster.Node.Exec("ipvsadm", "-A", "-t", "10.96.0.99:80", "-s", "rr");

        using var proxy = await StartAsync(0, 1, 2);
        await EventuallyAsync(() => Task.FromResult(!Saved().Contains("10.244.9.9", StringComparison.Ordinal)));
        Assert.DoesNotContain("10.96.0.99", Saved() + Ip("address", "show", "dev", "kube-ipvs0"), StringComparison.Ordinal);
        Assert.Equal(1, WeightOf(0));
        Assert.Equal(0, proxy.Terminate());

        _cluster.Node.Exec(ProxyProcess.Executable, "--cleanup", "--config", _manifests.Configuration());
        Assert.Equal(["-A -f 7 -s rr", "-A -t 192.0.2.1:80 -s rr"], Saved().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim()).Order());
        Assert.DoesNotContain("kube-ipvs0", Ip("link"), StringComparison.Ordinal);
        Assert.Equal("", _cluster.Node.Exec("nft", "list", "ruleset"));
    }

    [Fact]
    public async Task Node_ports_follow_the_addresses_of_the_node()
    {
        using var proxy = await StartAsync(0, 1, 2);
        Assert.Contains($"TCP  {MiniCluster.NodeAddress}:{NodePort} rr", Listing(), StringComparison.Ordinal);
        Ip("address", "add", "203.0.113.12/24", "dev", "eth0");
        await EventuallyAsync(() => Task.FromResult(Listing().Contains($"TCP  203.0.113.12:{NodePort} rr", StringComparison.Ordinal)));
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Client, "203.0.113.12", NodePort, 6));
        Ip("address", "delete", "203.0.113.12/24", "dev", "eth0");
        await EventuallyAsync(() => Task.FromResult(!Listing().Contains("203.0.113.12", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_scheduler_that_the_kernel_lacks_costs_one_service()
    {
        _manifests.Write("service.odd", """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"odd","namespace":"default","annotations":{"kube-proxy/ipvs-scheduler":"nonesuch"} },
             "spec":{"clusterIP":"10.96.0.66","clusterIPs":["10.96.0.66"],"ipFamilies":["IPv4"],"ports":[{"protocol":"TCP","port":80}]} }
            """);
        _manifests.Endpoints("odd", 0);
        using var proxy = ProxyProcess.Start(_cluster.Node, _manifests);
        await EventuallyAsync(() => Task.FromResult(proxy.Log.Contains("default/odd", StringComparison.Ordinal)), 60_000);
        await EventuallyAsync(() => Task.FromResult(IsDestination(0) && IsDestination(2)), 60_000);
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 6));
        Assert.Contains("nonesuch", proxy.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("10.96.0.66", Saved(), StringComparison.Ordinal);
        using var status = await proxy.TryGetAsync(10249, "/status");
        Assert.Contains("default/odd", await status!.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _cluster.Dispose();
        _manifests.Dispose();
    }

    private static bool HasIpvs()
    {
        using var node = IpvsNode.Create();
        return true;
    }

    private async Task<ProxyProcess> StartAsync(params int[] pods)
    {
        if (pods.Length > 0) _manifests.Endpoints("web", pods);
        var proxy = ProxyProcess.Start(_cluster.Node, _manifests);
        await proxy.WaitReadyAsync(60_000);
        return proxy;
    }

    private async Task<SocketError?> FailureAsync()
    {
        try
        {
            using var connection = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80, 1000);
            return null;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode;
        }
    }

    /// <summary>A connection from always the same port, which IPVS remembers as TIME_WAIT.</summary>
    private async Task<int> ConnectAndCloseAsync()
    {
        using var socket = await ConnectFromPortAsync();
        var pod = await ReadPodAsync(socket);
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(1, await socket.ReceiveAsync(new byte[16], Ct)); // The end of the greeting's line.
        Assert.Equal(0, await socket.ReceiveAsync(new byte[16], Ct));
        return pod;
    }

    /// <summary>A connection from always the same port, which ends by a reset.</summary>
    private async Task<int> ConnectAndResetAsync()
    {
        using var socket = await ConnectFromPortAsync();
        var pod = await ReadPodAsync(socket);
        socket.Close(timeout: 0);
        return pod;
    }

    private async Task<Socket> ConnectFromPortAsync()
    {
        var socket = _cluster.Client.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.LingerState = new LingerOption(true, 0);
        socket.Bind(new IPEndPoint(IPAddress.Parse(MiniCluster.ClientAddress), ClientPort));
        await socket.ConnectAsync(IPAddress.Parse(ClusterIp), 80, Ct);
        return socket;
    }

    private static async Task<int> ReadPodAsync(Socket socket)
    {
        var buffer = new byte[1];
        Assert.Equal(1, await socket.ReceiveAsync(buffer, Ct));
        return buffer[0] - '0';
    }

    private void UdpService(string name, string address, string extraSpec, params int[] pods)
    {
        _manifests.Write($"service.{name}", $$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{name}}","namespace":"default"},
             "spec":{"clusterIP":"{{address}}","clusterIPs":["{{address}}"],"ipFamilies":["IPv4"]{{extraSpec}},"ports":[{"protocol":"UDP","port":53}]} }
            """);
        _manifests.Endpoints(name, pods, [], "UDP");
    }

    /// <summary>A pod that answers every datagram with its number.</summary>
    private UdpClient Answer(int pod)
    {
        var server = _cluster.Pods[pod].Run(() => new UdpClient(8080));
        _ = Task.Run(async () =>
        {
            try
            {
                while (true) await server.SendAsync(Encoding.ASCII.GetBytes($"{pod}"), (await server.ReceiveAsync()).RemoteEndPoint);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        });
        return server;
    }

    private static async Task<string> AskAsync(UdpClient client)
    {
        await client.SendAsync(new byte[] { 1 }, Ct);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        return Encoding.ASCII.GetString((await client.ReceiveAsync(timeout.Token)).Buffer);
    }

    private void Sysctl(string name, int value) => _cluster.Node.Exec("sysctl", "-qw", $"net.ipv4.vs.{name}={value}");

    private string Ip(params string[] arguments) => _cluster.Node.Exec("ip", arguments);

    private string Listing() => _cluster.Node.Exec("ipvsadm", "-Ln");

    private string Saved() => _cluster.Node.Exec("ipvsadm", "-Sn");

    private (string Ipvs, string Addresses, string Rules) State()
    {
        var addresses = string.Join('\n', Ip("-o", "address", "show").Split('\n').Where(line => line.Contains("kube-ipvs0", StringComparison.Ordinal)).Select(line => line[line.IndexOf("inet", StringComparison.Ordinal)..]));
        return (Saved(), addresses, Rules());
    }

    private string Rules()
    {
        try
        {
            return ProxyTable.Normalise(_cluster.Node);
        }
        catch (InvalidOperationException)
        {
            return "there is no table";
        }
    }

    private int? WeightOf(int pod) => Destination(pod) is { Success: true } found ? int.Parse(found.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : null;

    private bool IsDestination(int pod) => Destination(pod).Success;

    private Match Destination(int pod) => Regex.Match(Saved(), $@"^-a -t {Regex.Escape(ClusterIp)}:80 -r {Regex.Escape(MiniCluster.PodAddress(pod))}:8080 -m -w (\d+)", RegexOptions.Multiline);

    // In user-mode-linux to start a program takes long, and there is one CPU for it and the proxy.
    private static async Task EventuallyAsync(Func<Task<bool>> condition, int timeoutMilliseconds = 30_000)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds < timeoutMilliseconds, "It did not come true in time.");
            await Task.Delay(300, Ct);
        }
    }

    private Task WaitForWeightAsync(int pod, int weight) => EventuallyAsync(() => Task.FromResult(WeightOf(pod) == weight), 30_000);
}
