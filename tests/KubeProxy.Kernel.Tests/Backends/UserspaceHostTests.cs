using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The program in userspace mode: what happens to connections when something goes wrong, and that no redirect is left behind.</summary>
[Collection("proxy processes")]
public sealed class UserspaceHostTests : IDisposable
{
    private const string ClusterIp = "10.96.0.10";
    private const string ExternalIp = "198.18.10.1";
    private const int NodePort = 30080;
    private readonly MiniCluster _cluster = MiniCluster.Create(3);
    private readonly Manifests _manifests = new() { Mode = "userspace" };

    public UserspaceHostTests()
    {
        _cluster.Listen(8080);
        _manifests.Service("web", ClusterIp, NodePort);
        _manifests.Endpoints("web", 0, 1, 2);
    }

    [Fact]
    public async Task Connections_are_balanced_and_counted_for_each_service()
    {
        using var proxy = await StartAsync();
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 6));
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Client, MiniCluster.NodeAddress, NodePort, 6));
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Pods[0], ClusterIp, 80, 6));
        using var open = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80);
        await open.PingAsync();

        await HostTests.EventuallyAsync(async () => await proxy.MetricAsync("kubeproxy_relay_active_connections") == 1);
        Assert.Equal(19, await proxy.MetricAsync("kubeproxy_relay_connections_total"));
        Assert.Equal(1, await proxy.MetricAsync("kubeproxy_relay_received_bytes_total"));
        Assert.True(await proxy.MetricAsync("kubeproxy_relay_sent_bytes_total") > 19);
        Assert.Equal(19, await proxy.MetricAsync("kubeproxy_relay_dial_duration_seconds_count"));

        _manifests.Endpoints("web", 1);
        await HostTests.EventuallyAsync(async () => (await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 4)).SetEquals([1]));
        await open.PingAsync(); // An endpoint that gets no new connections keeps those that it has.
        _manifests.Endpoints("web");
        await HostTests.EventuallyAsync(async () => await FailureAsync() == SocketError.ConnectionRefused);
    }

    [Fact]
    public async Task Sigterm_removes_the_redirects_and_resets_the_connections()
    {
        using var proxy = await StartAsync();
        using var open = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80);
        Assert.Equal(0, proxy.Terminate());
        Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => open.PingAsync())).SocketErrorCode);
        Assert.Equal("", _cluster.Node.Exec("nft", "list", "ruleset"));
        Assert.DoesNotContain("fwmark", _cluster.Node.Exec("ip", "rule"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_it_leaves_no_redirect_and_the_next_one_starts_from_there()
    {
        using (var first = await StartAsync())
        {
            using var open = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80);
            first.Kill();
            Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => open.PingAsync())).SocketErrorCode);
            // The kernel takes the table away with its owner's socket.
            await HostTests.EventuallyAsync(() => Task.FromResult(_cluster.Node.Exec("nft", "list", "ruleset").Length == 0));
        }

        using (await StartAsync())
            Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Client, ClusterIp, 80, 6));

        _cluster.Node.Exec(ProxyProcess.Executable, "--cleanup");
        Assert.DoesNotContain("fwmark", _cluster.Node.Exec("ip", "rule"), StringComparison.Ordinal);
        Assert.Equal("", _cluster.Node.Exec("ip", "route", "show", "table", "all", "type", "local", "default"));
    }

    [Theory]
    [InlineData("client")]
    [InlineData("node")]
    [InlineData("pod")]
    public async Task Connections_outlive_their_endpoint_and_their_service(string who)
    {
        var from = who switch { "client" => _cluster.Client, "node" => _cluster.Node, _ => _cluster.Pods[0] };
        _manifests.Service("web", ClusterIp, NodePort, $$""","externalIPs":["{{ExternalIp}}"]""");
        using var proxy = await StartAsync();
        using var toClusterIp = await MiniCluster.ConnectAsync(from, ClusterIp, 80);
        using var toExternalIp = await MiniCluster.ConnectAsync(from, ExternalIp, 80);
        using var toNodePort = await MiniCluster.ConnectAsync(from, MiniCluster.NodeAddress, NodePort);

        _manifests.Endpoints("web");
        await HostTests.EventuallyAsync(async () => await FailureAsync() == SocketError.ConnectionRefused);
        await PingAllAsync();
        _manifests.Delete("service.web");
        await HostTests.EventuallyAsync(() => Task.FromResult(!_cluster.Node.Exec("nft", "list", "table", "ip", "kube-proxy").Contains(ClusterIp, StringComparison.Ordinal)));
        await PingAllAsync();

        async Task PingAllAsync()
        {
            await toClusterIp.PingAsync();
            await toExternalIp.PingAsync();
            await toNodePort.PingAsync();
        }
    }

    [Theory]
    [InlineData("nft", "flush ruleset")]
    [InlineData("nft", "delete table ip kube-proxy")]
    [InlineData("ip", "rule delete pref 60")]
    [InlineData("ip", "route flush table 27504")]
    public async Task Nobody_else_can_take_the_redirects_away(string program, string command)
    {
        using var proxy = await StartAsync();
        using var established = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80);
        try
        {
            _cluster.Node.Exec(program, command.Split(' '));
        }
        catch (InvalidOperationException e)
        {
            Assert.Contains("not permitted", e.Message, StringComparison.OrdinalIgnoreCase); // The table has an owner.
        }

        await HostTests.EventuallyAsync(async () => await FailureAsync(500) is null);
        await established.PingAsync();
    }

    [Fact]
    public async Task Client_is_reset_when_its_endpoint_dies_in_the_middle()
    {
        _manifests.Write("slice.web", """
            {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"web-1","namespace":"default","labels":{"kubernetes.io/service-name":"web"}},
             "addressType":"IPv4","ports":[{"name":"","protocol":"TCP","port":9090}],"endpoints":[{"addresses":["10.244.0.2"],"conditions":{"ready":true}}]}
            """);
        using var listener = _cluster.Pods[0].Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(IPAddress.Any, 9090));
        listener.Listen();
        using var proxy = await StartAsync();
        using var client = _cluster.Client.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(IPAddress.Parse(ClusterIp), 80, TestContext.Current.CancellationToken);
        var endpoint = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        var sending = SendWithoutEndAsync(endpoint);
        var buffer = new byte[65536];
        for (var received = 0; received < 4 << 20;) received += await client.ReceiveAsync(buffer, TestContext.Current.CancellationToken);

        endpoint.Close(timeout: 0); // As the kernel does for a process that is killed with data under way.
        await sending;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var end = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (await client.ReceiveAsync(buffer, timeout.Token) > 0)
            {
            }
        });
        Assert.Equal(SocketError.ConnectionReset, end.SocketErrorCode);
        await HostTests.EventuallyAsync(async () => await proxy.MetricAsync("kubeproxy_relay_tcp_connections") == 0);
    }

    [Fact]
    public async Task Without_file_descriptors_it_says_so_and_goes_on_when_there_are_some()
    {
        using var proxy = await StartAsync();
        // What it has open now, and room for three connections.
        proxy.LimitDescriptors(proxy.CountDescriptors() + 6);
        var open = new List<Socket>();
        for (var i = 0; i < 20; i++)
        {
            try
            {
                open.Add(await ConnectAsync());
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
            {
                // There was a descriptor left for the client, and none for the endpoint.
            }
        }

        await HostTests.EventuallyAsync(() => Task.FromResult(proxy.Log.Contains("EMFILE", StringComparison.Ordinal)));
        Assert.Contains("The kernel refuses another connection", proxy.Log, StringComparison.Ordinal);

        foreach (var socket in open) socket.Dispose();
        proxy.LimitDescriptors(1024);
        await HostTests.EventuallyAsync(async () => await FailureAsync(500) is null);
        Assert.False(proxy.HasExited);
    }

    [Fact]
    public async Task Ten_thousand_idle_connections_stay_usable()
    {
        // Each takes two descriptors, and a fifth of them is for UDP: fewer where a container may not have so many.
        var count = Math.Min(10_000, ((RaiseDescriptorLimit() - 1024) * 2 / 5) - 16) / 3 * 3;
        using var proxy = await StartAsync();
        var open = new List<PodConnection>();
        try
        {
            while (open.Count < count) open.Add(await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80, 20_000));
            Assert.Equal(count, await proxy.MetricAsync("kubeproxy_relay_tcp_connections"));
            Assert.Equal([count / 3, count / 3, count / 3], open.GroupBy(c => c.Pod).OrderBy(g => g.Key).Select(g => g.Count()));
            foreach (var connection in open) await connection.PingAsync(20_000);
        }
        finally
        {
            foreach (var connection in open) connection.Dispose();
        }

        await HostTests.EventuallyAsync(async () => await proxy.MetricAsync("kubeproxy_relay_tcp_connections") == 0);
    }

    [Fact]
    public async Task Clients_that_vanished_are_forgotten()
    {
        await using var backend = await KernelRelay.StartAsync(_cluster.Node, options => options with
        {
            KeepAliveIdle = TimeSpan.FromSeconds(1),
            KeepAliveInterval = TimeSpan.FromSeconds(1),
            KeepAliveProbes = 2,
        });
        await backend.ServeAsync(ClusterIp, 80, $"{MiniCluster.PodAddress(0)}:8080");
        using var half = await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80);
        Assert.Equal(1, backend.Connections);
        _cluster.Client.Exec("ip", "link", "set", "eth0", "down"); // Neither an end nor a reset will come.
        await HostTests.EventuallyAsync(() => Task.FromResult(backend.Connections == 0), 60_000);
    }

    /// <summary>
    /// When the entry of a flow gets lost between a question and its answer, the answer makes a new one, by which the client is the one
    /// who answers: its next question has to arrive all the same.
    /// </summary>
    [Theory]
    [InlineData(ProtocolType.Udp)]
    [InlineData(ProtocolType.Tcp)]
    public async Task Connections_survive_when_conntrack_forgets_them_before_an_answer(ProtocolType protocol)
    {
        var name = protocol.ToString().ToUpperInvariant();
        _manifests.Write("service.ask", $$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"ask","namespace":"default"},
             "spec":{"type":"ClusterIP","clusterIP":"10.96.0.53","clusterIPs":["10.96.0.53"],"ports":[{"protocol":"{{name}}","port":53,"targetPort":5353}]} }
            """);
        _manifests.Write("slice.ask", $$"""
            {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"ask-1","namespace":"default","labels":{"kubernetes.io/service-name":"ask"} },
             "addressType":"IPv4","ports":[{"name":"","protocol":"{{name}}","port":5353}],"endpoints":[{"addresses":["{{MiniCluster.PodAddress(0)}}"],"conditions":{"ready":true} }]}
            """);
        using var proxy = await StartAsync();
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var type = protocol == ProtocolType.Udp ? SocketType.Dgram : SocketType.Stream;
        using var listener = _cluster.Pods[0].Run(() => new Socket(AddressFamily.InterNetwork, type, protocol));
        listener.Bind(new IPEndPoint(IPAddress.Any, 5353));
        if (type == SocketType.Stream) listener.Listen();
        using var client = _cluster.Client.Run(() => new Socket(AddressFamily.InterNetwork, type, protocol));
        await client.ConnectAsync(IPAddress.Parse("10.96.0.53"), 53, timeout.Token);
        using var endpoint = type == SocketType.Stream ? await listener.AcceptAsync(timeout.Token) : null;
        var buffer = new byte[16];
        for (var round = 0; round < 3; round++)
        {
            await client.SendAsync("question"u8.ToArray(), timeout.Token);
            var asking = await (endpoint ?? listener).ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), timeout.Token);
            Assert.Equal(8, asking.ReceivedBytes);
            _cluster.Node.Exec("conntrack", "-F");
            if (endpoint is null) await listener.SendToAsync("answer"u8.ToArray(), asking.RemoteEndPoint, timeout.Token);
            else await endpoint.SendAsync("answer"u8.ToArray(), timeout.Token);
            Assert.Equal(6, await client.ReceiveAsync(buffer, timeout.Token));
            Assert.Contains(OriginalSources(), source => source == "10.96.0.53");
        }

        IEnumerable<string> OriginalSources() => _cluster.Node.Exec("conntrack", "-L").Split('\n').Where(line => line.Contains("src=", StringComparison.Ordinal))
            .Select(line => line.Split("src=")[1].Split(' ')[0]);
    }

    /// <summary>How many file descriptors this process, and any that it starts, may have: more than its hard limit if it may.</summary>
    private int RaiseDescriptorLimit()
    {
        var self = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        try
        {
            _cluster.Node.Exec("prlimit", "--pid", self, "--nofile=65536:65536");
        }
        catch (InvalidOperationException)
        {
            // Not without CAP_SYS_RESOURCE.
        }

        return int.Parse(_cluster.Node.Exec("prlimit", "--pid", self, "--nofile", "--raw", "--noheadings", "--output=SOFT"), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _cluster.Dispose();
        _manifests.Dispose();
    }

    private async Task<ProxyProcess> StartAsync(params string[] wrapper)
    {
        var proxy = ProxyProcess.Start(_cluster.Node, _manifests, wrapper);
        await proxy.WaitReadyAsync();
        return proxy;
    }

    private async Task<SocketError?> FailureAsync(int timeoutMilliseconds = 2000)
    {
        try
        {
            (await MiniCluster.ConnectAsync(_cluster.Client, ClusterIp, 80, timeoutMilliseconds)).Dispose();
            return null;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = _cluster.Client.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await socket.ConnectAsync(IPAddress.Parse(ClusterIp), 80, TestContext.Current.CancellationToken);
        return socket;
    }

    private static async Task SendWithoutEndAsync(Socket socket)
    {
        try
        {
            while (true) await socket.SendAsync(new byte[65536]);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It was killed.
        }
    }
}
