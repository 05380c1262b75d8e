using System.Net;
using System.Net.Sockets;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The program in nftables mode with the feature gate for node ports on loopback addresses.</summary>
[Collection("proxy processes")]
public sealed class LocalhostNodePortTests : IDisposable
{
    private const string Localhost = "127.0.0.1";
    private const string Metric = "kubeproxy_nftables_localhost_nodeport_";
    private const int NodePort = 30080;
    private const int OtherPort = 30081;
    private const int UdpPort = 30053;

    private readonly MiniCluster _cluster = MiniCluster.Create(3);
    private readonly Manifests _manifests = new();

    public LocalhostNodePortTests()
    {
        _cluster.Listen(8080);
        _manifests.Service("web", "10.96.0.10", NodePort);
        _manifests.Endpoints("web", 0, 1, 2);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tcp_is_relayed_and_udp_is_rejected_and_counted()
    {
        _manifests.Write("service.dns", $$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"dns","namespace":"default"},"spec":{"type":"NodePort","clusterIP":"10.96.0.53","clusterIPs":["10.96.0.53"],
             "ipFamilies":["IPv4"],"ports":[{"protocol":"UDP","port":53,"nodePort":{{UdpPort}} }] } }
            """);
        _manifests.Endpoints("dns", [0], [], "UDP");
        using var proxy = await StartAsync("primary, localhost");
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Node, Localhost, NodePort, 9));
        Assert.Equal(SocketError.ConnectionRefused, await SendUdpAsync(Localhost));
        Assert.Equal(SocketError.ConnectionRefused, await SendUdpAsync("127.0.0.2"));
        Assert.Equal((1, 2, 0), (await proxy.MetricAsync(Metric + "listeners"), await proxy.MetricAsync(Metric + "rejected_packets_total"), await proxy.MetricAsync(Metric + "listener_creation_failures_total")));
        // Only the address that is named is listened on, and node ports elsewhere are as ever.
        Assert.Equal(SocketError.ConnectionRefused, await FailureAsync("127.0.0.2", NodePort));
        Assert.Equal([0, 1, 2], await MiniCluster.PodsBehindAsync(_cluster.Client, MiniCluster.NodeAddress, NodePort, 40));

        _manifests.Endpoints("web");
        await EventuallyFailsAsync(NodePort);
        Assert.Equal(0, await proxy.MetricAsync(Metric + "listeners"));
        _manifests.Endpoints("web", 1);
        await EventuallyServesAsync(NodePort, 1);
        using var open = await MiniCluster.ConnectAsync(_cluster.Node, Localhost, NodePort);
        _manifests.Delete("service.web");
        await EventuallyFailsAsync(NodePort);
        await open.PingAsync(); // What was accepted goes on.
    }

    [Fact]
    public async Task Counts_are_no_difference_to_a_restarted_proxy()
    {
        using (await StartAsync("primary")) Assert.Equal(SocketError.ConnectionRefused, await FailureAsync(Localhost, NodePort));
        var before = Rules();
        Assert.Contains("packets 1", _cluster.Node.Exec("nft", "list", "chain", "ip", "kube-proxy", "localhost-nodeport-reject"), StringComparison.Ordinal);
        using var second = await StartAsync("primary");
        Assert.Equal(before, Rules()); // With the numbers that the kernel gave to rules when they were made.
        Assert.Equal(1, await second.MetricAsync(Metric + "rejected_packets_total"));
    }

    [Fact]
    public async Task Without_the_gate_loopback_addresses_are_let_alone()
    {
        using var own = Listen(NodePort);
        using (await StartAsync("primary"))
            Assert.Equal(SocketError.ConnectionRefused, await FailureAsync(Localhost, NodePort)); // Although somebody listens.
        _manifests.Settings = "nodePortAddresses: [primary, localhost]";
        using var proxy = ProxyProcess.Start(_cluster.Node, _manifests);
        await proxy.WaitReadyAsync();
        Assert.DoesNotContain("localhost-nodeport", Rules(), StringComparison.Ordinal);
        Assert.Null(await FailureAsync(Localhost, NodePort));
    }

    [Fact]
    public async Task Policy_local_has_the_endpoints_of_this_node_only()
    {
        _manifests.Service("web", "10.96.0.10", NodePort, ""","externalTrafficPolicy":"Local" """);
        Endpoints("node2", "node1", "node2");
        using var proxy = await StartAsync("localhost");
        Assert.Equal([1], await MiniCluster.PodsBehindAsync(_cluster.Node, Localhost, NodePort, 9));
        Endpoints("node2", "node2", "node2");
        await EventuallyFailsAsync(NodePort);
    }

    [Fact]
    public async Task Affinity_takes_all_local_clients_for_one()
    {
        _manifests.Service("web", "10.96.0.10", NodePort, ""","sessionAffinity":"ClientIP" """);
        using var proxy = await StartAsync("127.0.0.0/24");
        var pod = Assert.Single(await MiniCluster.PodsBehindAsync(_cluster.Node, Localhost, NodePort, 9));
        for (var i = 2; i < 8; i++)
        {
            using var socket = _cluster.Node.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            socket.Bind(new IPEndPoint(IPAddress.Parse($"127.0.0.{i}"), 0));
            await socket.ConnectAsync(IPAddress.Loopback, NodePort, Cancel);
            using var connection = new PodConnection(socket);
            await connection.ReadGreetingAsync(Cancel);
            Assert.Equal(pod, connection.Pod);
        }

        _manifests.Endpoints("web", Enumerable.Range(0, 3).Where(other => other != pod));
        await HostTests.EventuallyAsync(async () => !(await MiniCluster.PodsBehindAsync(_cluster.Node, Localhost, NodePort, 4)).Contains(pod));
        Assert.Single(await MiniCluster.PodsBehindAsync(_cluster.Node, Localhost, NodePort, 9));
    }

    [Fact]
    public async Task Changes_of_the_addresses_open_and_close_it_while_running()
    {
        using var proxy = await StartAsync("primary");
        Assert.Equal(SocketError.ConnectionRefused, await FailureAsync(Localhost, NodePort));
        Assert.Equal(1, await proxy.MetricAsync(Metric + "rejected_packets_total"));
        Reconfigure("primary, localhost");
        await EventuallyServesAsync(NodePort, 0, 1, 2);
        Reconfigure("all");
        await EventuallyFailsAsync(NodePort);
        Assert.Equal(0, await proxy.MetricAsync(Metric + "listeners"));
        Reconfigure("127.0.0.1/32");
        await EventuallyServesAsync(NodePort, 0, 1, 2);
        Reconfigure("127.0.0.2/32");
        await EventuallyFailsAsync(NodePort);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_opened_once_it_is_free_and_others_are_open_meanwhile()
    {
        _manifests.Service("other", "10.96.0.11", OtherPort);
        _manifests.Endpoints("other", 2);
        using var taken = Listen(NodePort);
        using var proxy = await StartAsync("localhost");
        Assert.Equal([2], await MiniCluster.PodsBehindAsync(_cluster.Node, Localhost, OtherPort, 3));
        await HostTests.EventuallyAsync(async () => await proxy.MetricAsync(Metric + "listener_creation_failures_total") >= 1);
        Assert.Equal(1, await proxy.MetricAsync(Metric + "listeners"));
        _manifests.Endpoints("other", 0);
        await EventuallyServesAsync(OtherPort, 0);
        Assert.Equal(2, proxy.Log.Split($"Node port {NodePort} is not open on 127.0.0.1: EADDRINUSE").Length);
        taken.Dispose(); // Nothing tells the proxy.
        await EventuallyServesAsync(NodePort, 0, 1, 2);
        Assert.Equal(2, await proxy.MetricAsync(Metric + "listeners"));
    }

    [Fact]
    public async Task Connections_wait_while_there_are_no_descriptors_and_so_does_the_proxy()
    {
        _manifests.Service("other", "10.96.0.11", OtherPort);
        _manifests.Endpoints("other", 2);
        using var proxy = await StartAsync("localhost");
        Assert.Equal([2], await MiniCluster.PodsBehindAsync(_cluster.Node, Localhost, OtherPort, 3));
        proxy.LimitDescriptors(8);
        using var other = _cluster.Node.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await other.ConnectAsync(IPAddress.Loopback, OtherPort, Cancel);
        using var socket = _cluster.Node.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await socket.ConnectAsync(IPAddress.Loopback, NodePort, Cancel); // To the kernel's queue.
        await HostTests.EventuallyAsync(() => Task.FromResult(proxy.Log.Contains("EMFILE. None is accepted for", StringComparison.Ordinal)));
        proxy.LimitDescriptors(1024);
        using var connection = new PodConnection(socket);
        await connection.ReadGreetingAsync(Cancel);
        await connection.PingAsync();
        using var otherConnection = new PodConnection(other);
        await otherConnection.ReadGreetingAsync(Cancel);
        await otherConnection.PingAsync();
        // A pause of 50 ms at least for each: the count would be in the thousands of a loop that spins.
        Assert.InRange(await proxy.MetricAsync("kubeproxy_relay_refused_total"), 1, 50);
    }

    [Fact]
    public async Task The_other_family_has_a_loopback_address_too()
    {
        _cluster.Node.Exec("ip", "address", "add", "fd00:10:244::1/64", "dev", "cali0", "nodad");
        _cluster.Pods[0].Exec("ip", "address", "add", "fd00:10:244::2/64", "dev", "eth0", "nodad");
        _manifests.Write("service.six", $$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"six","namespace":"default"},"spec":{"type":"NodePort","clusterIP":"fd00:10:96::10","clusterIPs":["fd00:10:96::10"],
             "ipFamilies":["IPv6"],"ports":[{"protocol":"TCP","port":80,"nodePort":{{OtherPort}} }] } }
            """);
        _manifests.Write("slice.six", """
            {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"six-1","namespace":"default","labels":{"kubernetes.io/service-name":"six"}},
             "addressType":"IPv6","ports":[{"name":"","protocol":"TCP","port":9090}],"endpoints":[{"addresses":["fd00:10:244::2"],"conditions":{"ready":true},"nodeName":"node1"}]}
            """);
        using var listener = _cluster.Pods[0].Run(() => new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(IPAddress.IPv6Any, 9090));
        listener.Listen();
        using var proxy = await StartAsync("localhost");
        using var client = _cluster.Node.Run(() => new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(IPAddress.IPv6Loopback, OtherPort, Cancel);
        using var endpoint = await listener.AcceptAsync(Cancel);

        // Each direction ends by itself.
        var buffer = new byte[8];
        await client.SendAsync("question"u8.ToArray(), Cancel);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(8, await endpoint.ReceiveAsync(buffer, Cancel));
        Assert.Equal(0, await endpoint.ReceiveAsync(buffer, Cancel));
        await endpoint.SendAsync("answer"u8.ToArray(), Cancel);
        Assert.Equal(6, await client.ReceiveAsync(buffer, Cancel));

        Reconfigure("primary");
        await HostTests.EventuallyAsync(async () => await proxy.MetricAsync(Metric + "listeners") == 0);
        using var late = _cluster.Node.Run(() => new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp));
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(async () => await late.ConnectAsync(IPAddress.IPv6Loopback, OtherPort, Cancel))).SocketErrorCode);
        Assert.Equal(1, await proxy.MetricAsync(Metric + "rejected_packets_total"));
    }

    public void Dispose()
    {
        _cluster.Dispose();
        _manifests.Dispose();
    }

    private async Task<ProxyProcess> StartAsync(string addresses)
    {
        Configure(addresses);
        var proxy = ProxyProcess.Start(_cluster.Node, _manifests);
        await proxy.WaitReadyAsync();
        return proxy;
    }

    private void Configure(string addresses) => _manifests.Settings = $$"""
        featureGates: {KubeProxyNFTablesLocalhostNodePorts: true}
        nodePortAddresses: [{{addresses}}]
        """;

    private void Reconfigure(string addresses)
    {
        Configure(addresses);
        _manifests.Configuration();
    }

    private string Rules() => _cluster.Node.Exec("nft", "-a", "-s", "list", "table", "ip", "kube-proxy");

    private Socket Listen(int port)
    {
        var socket = _cluster.Node.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        socket.Listen();
        return socket;
    }

    private void Endpoints(params string[] nodes) => _manifests.Write("slice.web", $$"""
        {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"web-1","namespace":"default","labels":{"kubernetes.io/service-name":"web"} },
         "addressType":"IPv4","ports":[{"name":"","protocol":"TCP","port":8080}],"endpoints":[{{string.Join(',', nodes.Select((node, pod) =>
             $$"""{"addresses":["{{MiniCluster.PodAddress(pod)}}"],"conditions":{"ready":true},"nodeName":"{{node}}"}"""))}}]}
        """);

    private async Task<SocketError> SendUdpAsync(string address)
    {
        using var socket = _cluster.Node.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        await socket.ConnectAsync(IPAddress.Parse(address), UdpPort, Cancel);
        await socket.SendAsync(new byte[] { 1 }, Cancel);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        return (await Assert.ThrowsAsync<SocketException>(async () => await socket.ReceiveAsync(new byte[8], timeout.Token))).SocketErrorCode;
    }

    private async Task<SocketError?> FailureAsync(string address, int port)
    {
        try
        {
            using var socket = _cluster.Node.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            await socket.ConnectAsync(IPAddress.Parse(address), port, Cancel);
            return null;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    private Task EventuallyFailsAsync(int port) => HostTests.EventuallyAsync(async () => await FailureAsync(Localhost, port) == SocketError.ConnectionRefused);

    private Task EventuallyServesAsync(int port, params int[] pods) => HostTests.EventuallyAsync(async () =>
    {
        try
        {
            return (await MiniCluster.PodsBehindAsync(_cluster.Node, Localhost, port, 9)).SetEquals(pods);
        }
        catch (SocketException)
        {
            return false;
        }
    });
}
