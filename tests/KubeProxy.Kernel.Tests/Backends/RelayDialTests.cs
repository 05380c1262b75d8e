using System.Globalization;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Relay;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The connections that the relay of the userspace mode makes: what is left of them, and that they do not lead back to it.</summary>
[Collection("proxy processes")]
public sealed class RelayDialTests : IDisposable
{
    private const string ClusterIp = "10.96.0.10";
    private readonly MiniCluster _cluster = MiniCluster.Create(1);

    public RelayDialTests() => _cluster.Listen(8080);

    [Fact]
    public async Task Translated_connections_come_from_ports_that_the_relay_has_in_time_wait()
    {
        _cluster.Node.Exec("ip", "route", "add", ClusterIp, "dev", "cali0"); // So that clients have the source address that dials have.
        await using (var relay = await KernelRelay.StartAsync(_cluster.Node, options => options))
        {
            await relay.ServeAsync(ClusterIp, 80, $"{MiniCluster.PodAddress(0)}:8080");
            for (var i = 0; i < 5; i++) (await MiniCluster.ConnectAsync(_cluster.Node, ClusterIp, 80)).Dispose(); // The client closes first.
            await HostTests.EventuallyAsync(() => Task.FromResult(PortsInTimeWait().Count == 5));
        }

        _cluster.Node.ExecWithInput(
            $"table ip translation {{\nchain output {{\ntype nat hook output priority -100\nip daddr {ClusterIp} tcp dport 80 dnat to {MiniCluster.PodAddress(0)}:8080\n}}\n}}\n",
            "nft", "-f", "-");
        _cluster.Node.Exec("conntrack", "-F"); // Entries of the past could have the kernel choose other ports.
        foreach (var port in PortsInTimeWait())
        {
            // Not by bind, for which the port is in use. When the first SYN-ACK gets lost, the next one comes after a second.
            _cluster.Node.Exec("sysctl", "-qw", $"net.ipv4.ip_local_port_range={port} {port}");
            using var connection = await MiniCluster.ConnectAsync(_cluster.Node, ClusterIp, 80, timeoutMilliseconds: 900);
            Assert.Contains($"src={MiniCluster.PodAddress(0)} dst=10.244.0.1 sport=8080 dport={port} ", _cluster.Node.Exec("conntrack", "-L", "-d", ClusterIp), StringComparison.Ordinal);
            await connection.PingAsync();
        }

        Assert.Equal(5, PortsInTimeWait().Count);
    }

    [Theory]
    [InlineData("client")]
    [InlineData("node")]
    public async Task Endpoint_whose_address_is_a_frontend_is_reached(string who)
    {
        await using var relay = await KernelRelay.StartAsync(_cluster.Node, options => options with { Connections = new ConnectionLimit(8) });
        await relay.ServeAsync(FrontendKind.ExternalIP, MiniCluster.PodAddress(0), 8080, $"{MiniCluster.PodAddress(0)}:8080");
        using var connection = await MiniCluster.ConnectAsync(who == "node" ? _cluster.Node : _cluster.Client, MiniCluster.PodAddress(0), 8080);
        await connection.PingAsync();
        Assert.Equal(1, relay.Connections);
    }

    public void Dispose() => _cluster.Dispose();

    private List<int> PortsInTimeWait() =>
    [
        .. from line in _cluster.Node.Exec("ss", "-Htn", "state", "time-wait", "dst", $"{MiniCluster.PodAddress(0)}:8080").Split('\n', StringSplitOptions.RemoveEmptyEntries)
           let local = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2]
           select int.Parse(local[(local.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture),
    ];
}
