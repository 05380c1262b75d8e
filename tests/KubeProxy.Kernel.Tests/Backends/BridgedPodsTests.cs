using System.Globalization;
using System.Net.Sockets;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>
/// Userspace mode, with pods behind a bridge of the node, and packets on bridges passing the rules of iptables
/// (<c>net.bridge.bridge-nf-call-iptables</c>), as kubeadm wants it, or not.
/// </summary>
[Collection("proxy processes")]
public sealed class BridgedPodsTests : IDisposable
{
    private readonly BridgeCluster _cluster = BridgeCluster.Create();
    private Manifests? _manifests;

    [Theory]
    [InlineData("ClusterCIDR", "")]
    [InlineData("NodeCIDR", "")]
    [InlineData("BridgeInterface", "bridgeInterface: cbr0")]
    [InlineData("InterfaceNamePrefix", "interfaceNamePrefix: cbr")]
    public async Task Pods_behind_a_bridge_reach_every_kind_of_service(string detectLocalMode, string detectLocal)
    {
        var manifests = Describe(detectLocalMode, detectLocal);
        _cluster.FilterBridges(true);
        using var proxy = ProxyProcess.Start(_cluster.Node, manifests);
        await proxy.WaitReadyAsync();
        await AssertAllAsync();

        // A change is noticed within seconds.
        foreach (var on in (bool[])[false, true])
        {
            _cluster.FilterBridges(on);
            await HostTests.EventuallyAsync(() => Task.FromResult(IsTranslating == on));
            await AssertAllAsync();
        }
    }

    [Fact]
    public async Task Connections_and_flows_survive_that_the_setting_changes()
    {
        var manifests = Describe("ClusterCIDR", "");
        foreach (var starting in (bool[])[true, false])
        {
            _cluster.FilterBridges(starting);
            using var proxy = ProxyProcess.Start(_cluster.Node, manifests);
            await proxy.WaitReadyAsync();
            using var connection = await BridgeCluster.ConnectAsync(_cluster.Pods[0], ProtocolType.Tcp, "10.96.0.20", 80);
            using var connectionV6 = await BridgeCluster.ConnectAsync(_cluster.Pods[0], ProtocolType.Tcp, "fd00:10:96::20", 80);
            using var flow = await BridgeCluster.ConnectAsync(_cluster.Pods[0], ProtocolType.Udp, "10.96.0.20", 80);
            var (first, firstV6) = (await BridgeCluster.AskAsync(connection), await BridgeCluster.AskAsync(connectionV6));
            await BridgeCluster.AskAsync(flow);
            foreach (var on in (bool[])[!starting, starting, !starting])
            {
                _cluster.FilterBridges(on);
                Assert.Equal(first, await BridgeCluster.AskAsync(connection)); // At once: only the beginning needs the rules.
                Assert.Equal(firstV6, await BridgeCluster.AskAsync(connectionV6));
                await HostTests.EventuallyAsync(() => Task.FromResult(IsTranslating == on));
                Assert.Equal(first, await BridgeCluster.AskAsync(connection));
                await BridgeCluster.AskAsync(flow);
            }
        }
    }

    /// <summary>Its first datagram came before anybody translated it, and decides for all that follow.</summary>
    [Fact]
    public async Task A_flow_that_nobody_translated_comes_to_the_relay_all_the_same()
    {
        var manifests = Describe("ClusterCIDR", "");
        _cluster.FilterBridges(false);
        using var proxy = ProxyProcess.Start(_cluster.Node, manifests);
        await proxy.WaitReadyAsync();
        _cluster.FilterBridges(true);
        using var flow = await BridgeCluster.ConnectAsync(_cluster.Pods[0], ProtocolType.Udp, "10.96.0.21", 80, sourcePort: 4000);
        await HostTests.EventuallyAsync(async () =>
        {
            try
            {
                return await BridgeCluster.AskAsync(flow, 100) is "pod1" or "remote";
            }
            catch (SocketException)
            {
                return false;
            }
        });
    }

    /// <summary>Both are translated to one port of the node: the kernel has to give one of them another source.</summary>
    [Theory]
    [InlineData(ProtocolType.Tcp)]
    [InlineData(ProtocolType.Udp)]
    public async Task One_source_port_reaches_two_services(ProtocolType protocol)
    {
        _cluster.FilterBridges(true);
        using var proxy = ProxyProcess.Start(_cluster.Node, Describe("ClusterCIDR", ""));
        await proxy.WaitReadyAsync();
        using var one = await BridgeCluster.ConnectAsync(_cluster.Pods[1], protocol, "10.96.0.22", 80, sourcePort: 4000);
        using var other = await BridgeCluster.ConnectAsync(_cluster.Pods[1], protocol, "10.96.0.23", 80, sourcePort: 4000);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("remote", await BridgeCluster.AskAsync(one));
            Assert.Equal("pod1", await BridgeCluster.AskAsync(other));
        }

        // A flow that conntrack forgets may get its translation back, but not that of another.
        _cluster.Node.Exec("conntrack", "-F");
        await Task.Delay(1100, TestContext.Current.CancellationToken);
        if (protocol == ProtocolType.Udp) Assert.Equal("pod1", await BridgeCluster.AskAsync(other));
    }

    [Fact]
    public async Task The_ports_that_packets_are_translated_to_are_closed_for_everybody_else()
    {
        _cluster.FilterBridges(true);
        _cluster.Node.Exec("sysctl", "-qw", "net.ipv4.icmp_ratelimit=0"); // So that each refusal is told.
        using var proxy = ProxyProcess.Start(_cluster.Node, Describe("ClusterCIDR", ""));
        await proxy.WaitReadyAsync();
        Assert.Equal(4, Ports().Distinct().Count());
        foreach (var from in (NetworkNamespace[])[_cluster.Client, _cluster.Pods[0], _cluster.Node])
        {
            foreach (var port in Ports().Distinct())
            {
                foreach (var address in (string[])[BridgeCluster.NodeIPv4, BridgeCluster.Gateways[0]])
                {
                    foreach (var protocol in (ProtocolType[])[ProtocolType.Tcp, ProtocolType.Udp])
                        Assert.Equal(
                            (from.Name, address, port, protocol, "ConnectionRefused"),
                            (from.Name, address, port, protocol, await BridgeCluster.AskAsync(from, protocol, address, port, 1)));
                }
            }
        }

        IEnumerable<int> Ports() => _cluster.Node.Exec("nft", "list", "table", "ip", "kube-proxy").Split('\n')
            .Where(line => line.Contains("redirect to", StringComparison.Ordinal)).Select(line => int.Parse(line.Split(':')[1], CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        _manifests?.Dispose();
        _cluster.Dispose();
    }

    private bool IsTranslating => new[] { "ip", "ip6" }.All(
        family => _cluster.Node.Exec("nft", "list", "table", family, "kube-proxy").Contains("redirect to", StringComparison.Ordinal));

    private async Task AssertAllAsync()
    {
        var failures = new List<string>();
        foreach (var protocol in (ProtocolType[])[ProtocolType.Tcp, ProtocolType.Udp])
        {
            foreach (var family in (int[])[4, 6])
            {
                string Address(string v4, string v6) => family == 4 ? v4 : v6;
                var node = Address(BridgeCluster.NodeIPv4, BridgeCluster.NodeIPv6);
                foreach (var (name, address, port, expected) in new[]
                {
                    ("cluster IP", Address("10.96.0.21", "fd00:10:96::21"), 80, "pod1 remote"),
                    ("node port, policy Cluster", node, 30021, "pod1 remote"),
                    ("load-balancer IP, policy Cluster", Address("198.18.20.21", "2001:db8:1b::21"), 80, "pod1 remote"),
                    // Pods reach all endpoints of external frontends with policy Local; of internal ones only those of the node.
                    ("node port, policy Local", node, 30024, "pod1 remote"),
                    ("load-balancer IP, policy Local", Address("198.18.20.24", "2001:db8:1b::24"), 80, "pod1 remote"),
                    ("cluster IP, policy Local", Address("10.96.0.24", "fd00:10:96::24"), 80, "pod1"),
                })
                {
                    var answers = await BridgeCluster.AskAsync(_cluster.Pods[1], protocol, address, port, 6);
                    if (answers != expected) failures.Add($"{protocol}, pod to {name} ({address}): {answers}");
                }

                foreach (var (name, address, port, expected) in new[]
                {
                    ("node port, policy Cluster", node, 30021, "pod1 remote"),
                    ("load-balancer IP, policy Local", Address("198.18.20.24", "2001:db8:1b::24"), 80, "pod1"),
                })
                {
                    var answers = await BridgeCluster.AskAsync(_cluster.Client, protocol, address, port, 6);
                    if (answers != expected) failures.Add($"{protocol}, client to {name} ({address}): {answers}");
                }

                var toItself = await BridgeCluster.AskAsync(_cluster.Pods[0], protocol, Address("10.96.0.23", "fd00:10:96::23"), 80, 2);
                if (toItself != "pod1") failures.Add($"{protocol}, a pod to itself: {toItself}");
                var sticky = await BridgeCluster.AskAsync(_cluster.Pods[1], protocol, Address("10.96.0.20", "fd00:10:96::20"), 80, 6);
                if (sticky is not ("pod1" or "remote")) failures.Add($"{protocol}, with affinity: {sticky}");
                var nobody = await BridgeCluster.AskAsync(_cluster.Pods[1], protocol, Address("10.96.0.25", "fd00:10:96::25"), 80, 1);
                if (nobody != "ConnectionRefused") failures.Add($"{protocol}, without endpoints: {nobody}");
            }
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    private Manifests Describe(string detectLocalMode, string detectLocal)
    {
        _manifests = new Manifests
        {
            Mode = "userspace",
            ClusterCidr = "10.244.0.0/16,fd00:10:244::/56",
            Settings = $"detectLocalMode: {detectLocalMode}\n" + (detectLocal.Length == 0 ? "" : $"detectLocal:\n  {detectLocal}\n"),
        };
        _manifests.Write("node", $$"""
            {"apiVersion":"v1","kind":"Node","metadata":{"name":"node1"},"spec":{"podCIDR":"10.244.0.0/24","podCIDRs":["10.244.0.0/24","fd00:10:244::/64"]},
             "status":{"addresses":[{"type":"InternalIP","address":"{{BridgeCluster.NodeIPv4}}"},{"type":"InternalIP","address":"{{BridgeCluster.NodeIPv6}}"}]} }
            """);
        Write("sticky", 20, ["pod1", "remote"], "\"sessionAffinity\":\"ClientIP\"");
        Write("web", 21, ["pod1", "remote"], "\"type\":\"LoadBalancer\"", nodePort: 30021);
        Write("far", 22, ["remote"], "\"type\":\"ClusterIP\"");
        Write("near", 23, ["pod1"], "\"type\":\"ClusterIP\"");
        Write("local", 24, ["pod1", "remote"], "\"type\":\"LoadBalancer\",\"externalTrafficPolicy\":\"Local\",\"internalTrafficPolicy\":\"Local\"", nodePort: 30024);
        Write("empty", 25, [], "\"type\":\"ClusterIP\"");
        return _manifests;
    }

    private void Write(string name, int number, string[] endpoints, string spec, int? nodePort = null)
    {
        var ports = string.Join(',', ((string[])["TCP", "UDP"]).Select(protocol =>
            $$"""{"name":"{{protocol.ToLowerInvariant()}}","protocol":"{{protocol}}","port":80,"targetPort":8080{{(nodePort is { } port ? $",\"nodePort\":{port}" : "")}}}"""));
        var status = nodePort is null ? "" : $$$"""{"loadBalancer":{"ingress":[{"ip":"198.18.20.{{{number}}}"},{"ip":"2001:db8:1b::{{{number}}}"}]}}""";
        _manifests!.Write($"service.{name}", $$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{name}}","namespace":"default"},
             "spec":{"clusterIP":"10.96.0.{{number}}","clusterIPs":["10.96.0.{{number}}","fd00:10:96::{{number}}"],"ipFamilies":["IPv4","IPv6"],"ipFamilyPolicy":"RequireDualStack",
             "ports":[{{ports}}],{{spec}} }{{(status.Length == 0 ? "" : ",\"status\":" + status)}} }
            """);
        foreach (var family in (string[])["IPv4", "IPv6"])
        {
            var list = string.Join(',', endpoints.Select(pod =>
            {
                var (subnet, node) = pod == "pod1" ? (0, "node1") : (1, "node2");
                var address = family == "IPv4" ? $"10.244.{subnet}.11" : subnet == 0 ? "fd00:10:244::11" : "fd00:10:244:1::11";
                return $$"""{"addresses":["{{address}}"],"conditions":{"ready":true},"nodeName":"{{node}}"}""";
            }));
            _manifests.Write($"slice.{name}.{family}", $$"""
                {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"{{name}}-{{family.ToLowerInvariant()}}","namespace":"default","labels":{"kubernetes.io/service-name":"{{name}}"} },
                 "addressType":"{{family}}","ports":[{"name":"tcp","protocol":"TCP","port":8080},{"name":"udp","protocol":"UDP","port":8080}],"endpoints":[{{list}}]}
                """);
        }
    }
}
