using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The mode changes on one node again and again, with traffic after each change, and nothing of any other mode is left.</summary>
[Collection("proxy processes")]
public sealed partial class ModeChangeTests : IDisposable
{
    private const string ClusterIp = "10.96.0.10";
    private const string UdpClusterIp = "10.96.0.11";
    private const string LocalClusterIp = "10.96.0.12";
    private const string BalancerIp = "198.51.100.12";
    private readonly List<IDisposable> _opened = [];
    private readonly MiniCluster _cluster = MiniCluster.Create(2);

    [Theory]
    [InlineData("nftables,iptables,userspace", 20)]
    public Task Twenty_changes_leave_nothing_of_any_other_mode(string modes, int changes) => ChangeAsync(modes.Split(','), changes);

    [Fact]
    [Trait("Kernel", "uml")]
    public Task Changes_with_ipvs_leave_nothing_of_any_other_mode()
    {
        Assert.SkipUnless(HasIpvs, "needs a kernel with IPVS (see tests/uml)");
        return ChangeAsync(["nftables", "iptables", "userspace", "ipvs"], 12);
    }

    [Theory]
    [Trait("Kernel", "uml")]
    [InlineData("-P FORWARD DROP")]
    [InlineData("-A FORWARD -j REJECT")]
    public async Task Ipvs_works_behind_a_firewall_of_the_host_that_forwards_nothing(string rule)
    {
        Assert.SkipUnless(HasIpvs, "needs a kernel with IPVS (see tests/uml)");
        Listen();
        _cluster.Node.Exec("iptables", rule.Split(' '));
        using var manifests = Manifests("ipvs");
        using var proxy = ProxyProcess.Start(_cluster.Node, manifests);
        await proxy.WaitReadyAsync();
        await ProbeAsync("ipvs", from: "client");

        // As a reload of the firewall does it.
        _cluster.Node.Exec("iptables", "-F", "FORWARD");
        if (rule.StartsWith("-A", StringComparison.Ordinal)) _cluster.Node.Exec("iptables", rule.Split(' '));
        await EventuallyAsync(() => _cluster.Node.Exec("iptables", "-S", "FORWARD").Contains("KUBE-FORWARD", StringComparison.Ordinal));
        await ProbeAsync("ipvs", from: "client");
    }

    [Theory]
    [InlineData("nftables")]
    [InlineData("iptables")]
    [InlineData("userspace")]
    public async Task Cleanup_leaves_the_node_as_it_was(string mode)
    {
        Listen();
        var before = Snapshot(_cluster.Node);
        using (var manifests = Manifests(mode))
        using (var proxy = ProxyProcess.Start(_cluster.Node, manifests))
        {
            await proxy.WaitReadyAsync();
            await ProbeAsync(mode);
            proxy.Kill();
        }

        using var cleanup = _cluster.Node.Start(ProxyProcess.Executable, "--cleanup");
        await cleanup.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, cleanup.ExitCode);
        AssertEqual(before, Snapshot(_cluster.Node));
    }

    [Fact]
    public async Task What_upstream_leaves_is_removed_too()
    {
        Listen();
        var node = _cluster.Node;
        using (var fresh = MiniCluster.Create(2))
        using (var manifests = Manifests("nftables"))
        using (var proxy = ProxyProcess.Start(fresh.Node, manifests))
        {
            await proxy.WaitReadyAsync();
            var expected = Snapshot(fresh.Node);

            // Mode iptables, and what its ipvs mode has beside it; and a table of its nftables mode as 1.37 writes it, with named counters.
            foreach (var command in (string[])
            [
                "sysctl -qw net.ipv4.conf.all.route_localnet=1", "iptables -t nat -N KUBE-SERVICES", "iptables -t nat -A PREROUTING -j KUBE-SERVICES",
                "iptables -t nat -N KUBE-SVC-ABCDEFGHIJKLMNOP", $"iptables -t nat -A KUBE-SERVICES -d {ClusterIp} -p tcp --dport 80 -j KUBE-SVC-ABCDEFGHIJKLMNOP",
                "iptables -t nat -A KUBE-SVC-ABCDEFGHIJKLMNOP -p tcp -j DNAT --to-destination 192.0.2.1:1", "iptables -t mangle -N KUBE-PROXY-CANARY",
                "iptables -N KUBE-FORWARD", "iptables -A FORWARD -j KUBE-FORWARD", "iptables -N KUBE-IPVS-FILTER",
            ]) node.Exec(command.Split(' ')[0], command.Split(' ')[1..]);
            if (HasIpsets(node))
            {
                node.Exec("ipset", "create", "KUBE-CLUSTER-IP", "hash:ip,port");
                node.Exec("ipset", "create", "KUBE-6-LOAD-BALANCER-SOURCE-CID", "hash:ip,port,net", "family", "inet6");
                node.Exec("ipset", "create", "OTHERS", "hash:ip");
                node.Exec("iptables", "-t", "nat", "-A", "KUBE-SERVICES", "-m", "set", "--match-set", "KUBE-CLUSTER-IP", "dst,dst", "-j", "ACCEPT");
            }

            var file = Path.Combine(manifests.Directory, "upstream.nft");
            await File.WriteAllTextAsync(file, """
                table ip kube-proxy {
                  counter localhost-nodeport-rejected-udp { }
                  map localhost-nodeport-reject-ports { type inet_proto . inet_service : verdict; elements = { udp . 30080 : goto localhost-nodeport-reject-udp } }
                  chain localhost-nodeport-reject-udp { counter name "localhost-nodeport-rejected-udp" reject; }
                  chain nodeport-endpoints-check { ip daddr 127.0.0.0/8 meta l4proto . th dport vmap @localhost-nodeport-reject-ports; }
                  chain filter-input { type filter hook input priority 0; ct state new jump nodeport-endpoints-check; }
                }
                """, TestContext.Current.CancellationToken);
            node.Exec("nft", "-f", file);

            using var ours = ProxyProcess.Start(node, manifests);
            await ours.WaitReadyAsync();
            await EventuallyAsync(expected, node);
            await ProbeAsync("nftables");
            if (HasIpsets(node)) Assert.Equal("OTHERS", node.Exec("ipset", "list", "-n").Trim());
        }
    }

    [Fact]
    public async Task A_sysctl_that_somebody_else_had_set_is_what_it_was()
    {
        Listen();
        _cluster.Node.Exec("sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1");
        using (var manifests = Manifests("iptables"))
        using (var proxy = ProxyProcess.Start(_cluster.Node, manifests))
        {
            await proxy.WaitReadyAsync();
            Assert.Contains("was 1, set to 1", _cluster.Node.Exec("nft", "list", "table", "inet", "kube-proxy-sysctls"), StringComparison.Ordinal);
        }

        using (var manifests = Manifests("nftables"))
        using (var proxy = ProxyProcess.Start(_cluster.Node, manifests))
        {
            await proxy.WaitReadyAsync();
            Assert.Equal("1", _cluster.Node.Exec("sysctl", "-n", "net.ipv4.conf.all.route_localnet").Trim());
        }

        _cluster.Node.Exec("sysctl", "-qw", "net.ipv4.conf.all.route_localnet=0");
        using (var manifests = Manifests("iptables"))
        using (var proxy = ProxyProcess.Start(_cluster.Node, manifests))
        {
            await proxy.WaitReadyAsync();
            Assert.Contains("was 0, set to 1", _cluster.Node.Exec("nft", "list", "table", "inet", "kube-proxy-sysctls"), StringComparison.Ordinal);
            Assert.Equal("1", _cluster.Node.Exec("sysctl", "-n", "net.ipv4.conf.all.route_localnet").Trim());
        }

        using (var manifests = Manifests("nftables"))
        using (var proxy = ProxyProcess.Start(_cluster.Node, manifests))
        {
            await proxy.WaitReadyAsync();
            await EventuallyAsync(() => _cluster.Node.Exec("sysctl", "-n", "net.ipv4.conf.all.route_localnet").Trim() == "0");
        }
    }

    public void Dispose()
    {
        foreach (var each in _opened) each.Dispose();
        _cluster.Dispose();
    }

    private async Task ChangeAsync(string[] modes, int changes)
    {
        Listen();
        var expected = new Dictionary<string, string>();
        foreach (var mode in modes) expected[mode] = await OfFreshNodeAsync(mode);
        var random = new Random(20261128);
        var before = "";
        for (var i = 0; i < changes; i++)
        {
            var others = modes.Where(mode => mode != before).ToArray();
            var mode = before = others[random.Next(others.Length)];
            using var manifests = Manifests(mode);
            using var proxy = ProxyProcess.Start(_cluster.Node, manifests);
            await proxy.WaitReadyAsync();
            await EventuallyAsync(expected[mode], _cluster.Node);
            await ProbeAsync(mode);
            if (random.Next(3) == 0) proxy.Kill();
            else Assert.Equal(0, proxy.Terminate());
        }
    }

    private static async Task<string> OfFreshNodeAsync(string mode)
    {
        using var fresh = MiniCluster.Create(2);
        using var manifests = Manifests(mode);
        using var proxy = ProxyProcess.Start(fresh.Node, manifests);
        await proxy.WaitReadyAsync();
        return Snapshot(fresh.Node);
    }

    private static async Task EventuallyAsync(string expected, NetworkNamespace node)
    {
        var start = Stopwatch.GetTimestamp();
        while (Snapshot(node) is var actual && actual != expected)
        {
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(2)) AssertEqual(expected, actual);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private static void AssertEqual(string expected, string actual)
    {
        var (missing, left) = (expected.Split('\n').ToList(), actual.Split('\n').ToList());
        foreach (var word in expected.Split('\n')) left.Remove(word);
        foreach (var word in actual.Split('\n')) missing.Remove(word);
        Assert.True(expected == actual, $"missing: {string.Join(' ', missing)}\nleft: {string.Join(' ', left)}");
    }

    private static bool HasIpvs => Directory.Exists("/proc/sys/net/ipv4/vs");

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        for (var i = 0; i < 100 && !condition(); i++) await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.True(condition());
    }

    private static bool HasIpsets(NetworkNamespace node)
    {
        try
        {
            node.Exec("ipset", "list", "-n");
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    /// <summary>Everything that a mode can leave, in words and in any order: sets are listed in that of the kernel's hash tables.</summary>
    private static string Snapshot(NetworkNamespace node)
    {
        string[][] commands =
        [
            ["nft", "list", "ruleset"], ["iptables-save"], ["ip6tables-save"], ["ip", "rule"], ["ip", "-6", "rule"], ["ip", "-4", "route", "show", "table", "all"],
            ["sh", "-c", "ip -6 route show table all | grep -v 'fe80\\|multicast' || true"], // Links get theirs when they have been up for a while.
            ["ip", "-o", "link", "show", "type", "dummy"], ["sysctl", "net.ipv4.conf.all.route_localnet", "net.ipv4.ip_forward", "net.ipv4.conf.all.arp_ignore"],
        ];
        if (HasIpvs) commands = [.. commands, ["ipvsadm", "-Sn"], ["sh", "-c", "ip -o addr show dev kube-ipvs0 2>/dev/null || true"], ["sysctl", "net.ipv4.vs.conntrack", "net.ipv4.vs.expire_nodest_conn"]];
        return string.Join('\n', commands.SelectMany(command => Words(node.Exec(command[0], command[1..])).Order(StringComparer.Ordinal).Prepend($"== {string.Join(' ', command)}")));
    }

    private static string[] Words(string text) => Volatile().Replace(text, "").Split([' ', '\n', '\t', ','], StringSplitOptions.RemoveEmptyEntries);

    // Comments of the tools, counters, and what is of the process or of the namespace: ports of relays, addresses of links.
    [GeneratedRegex(@"(?m)^#.*$|packets \d+ bytes \d+|\[\d+:\d+\]|tproxy to \S+|redirect to \S+|dport \d+ reject|fe80:\S+|expires \S+|\d+: |if\d+|link/ether \S+|link-netns\S* \S+|progname \S+|@\S+")]
    private static partial Regex Volatile();

    private static Manifests Manifests(string mode)
    {
        var manifests = new Manifests { Mode = mode, Settings = "nodePortAddresses: [203.0.113.0/24, 127.0.0.0/8]" };
        manifests.Service("web", ClusterIp, 30080);
        manifests.Endpoints("web", 0, 1);
        manifests.Write("service.dns", $$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"dns","namespace":"default"},
             "spec":{"type":"NodePort","clusterIP":"{{UdpClusterIp}}","clusterIPs":["{{UdpClusterIp}}"],"ipFamilies":["IPv4"],
             "ports":[{"protocol":"UDP","port":53,"nodePort":30053}] } }
            """);
        manifests.Endpoints("dns", [0, 1], [], "UDP");
        manifests.Write("service.local", $$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"local","namespace":"default"},
             "spec":{"type":"LoadBalancer","clusterIP":"{{LocalClusterIp}}","clusterIPs":["{{LocalClusterIp}}"],"ipFamilies":["IPv4"],"externalTrafficPolicy":"Local",
             "ports":[{"protocol":"TCP","port":80,"nodePort":30081}] },
             "status":{"loadBalancer":{"ingress":[{"ip":"{{BalancerIp}}","ipMode":"VIP"}] } } }
            """);
        manifests.Endpoints("local", 0, 1);
        return manifests;
    }

    private void Listen()
    {
        _cluster.Listen(8080);
        foreach (var pod in _cluster.Pods)
        {
            var socket = pod.Run(() =>
            {
                var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                udp.Bind(new IPEndPoint(IPAddress.Any, 8080));
                return udp;
            });
            _opened.Add(socket);
            _ = EchoAsync(socket);
        }
    }

    private static async Task EchoAsync(Socket socket)
    {
        var buffer = new byte[64];
        try
        {
            while (true)
            {
                var received = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                await socket.SendToAsync(buffer.AsMemory(0, received.ReceivedBytes), received.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ProbeAsync(string mode, string? from = null)
    {
        (string, NetworkNamespace)[] all = [("client", _cluster.Client), ("pod", _cluster.Pods[0]), ("node", _cluster.Node)];
        foreach (var (name, source) in all.Where(each => from is null || each.Item1 == from))
        {
            foreach (var (address, port) in new[] { (ClusterIp, 80), (MiniCluster.NodeAddress, 30080), (MiniCluster.NodeAddress, 30081), (BalancerIp, 80), (LocalClusterIp, 80) })
            {
                try
                {
                    for (var i = 0; i < 3; i++)
                    {
                        using var connection = await MiniCluster.ConnectAsync(source, address, port);
                    }
                }
                catch (SocketException e)
                {
                    throw new InvalidOperationException($"mode {mode}: {name} -> {address}:{port}: {e.SocketErrorCode}", e);
                }
            }

            foreach (var (address, port) in new[] { (UdpClusterIp, 53), (MiniCluster.NodeAddress, 30053) })
                Assert.True(await AskAsync(source, address, port), $"mode {mode}: {name} -> {address}:{port}/udp");
        }
    }

    private static async Task<bool> AskAsync(NetworkNamespace from, string address, int port)
    {
        using var socket = from.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        await socket.ConnectAsync(IPAddress.Parse(address), port);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            try
            {
                await socket.SendAsync(new byte[] { 1, 2, 3 });
                using var timeout = new CancellationTokenSource(500);
                if (await socket.ReceiveAsync(new byte[64], timeout.Token) == 3) return true;
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // Again.
            }
        }

        return false;
    }
}
