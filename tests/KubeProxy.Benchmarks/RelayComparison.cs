using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace KubeProxy.Benchmarks;

/// <summary>
/// The userspace mode beside haproxy (in TCP mode, from the Debian package) and beside the nftables mode: a client, a node and an
/// endpoint in network namespaces of their own, all of them on the same cores.
/// </summary>
internal sealed class RelayComparison : IDisposable
{
    private const string NodeAddress = "192.0.2.1";
    private const string EndpointAddress = "198.51.100.2";

    // haproxy listens beside the ports of the endpoint, on the node's own address.
    private const int HaproxyOffset = 1000;
    private const int IdleConnections = 5000;
    private static readonly TimeSpan Each = TimeSpan.FromSeconds(4);

    private readonly string _prefix = $"kpr-{Environment.ProcessId}";
    private readonly List<Process> _processes = [];

    private RelayComparison()
    {
        foreach (var name in (string[])[Client, Node, Endpoint]) Execute("ip", "netns", "add", name);
        Connect(Client, "192.0.2.2/24", "192.0.2.1/24", "client");
        Connect(Endpoint, $"{EndpointAddress}/24", "198.51.100.1/24", "endpoint");
        Execute("ip", "-n", Client, "route", "add", "default", "via", NodeAddress);
        Execute("ip", "-n", Endpoint, "route", "add", "default", "via", "198.51.100.1");
        Execute("ip", "-n", Node, "link", "set", "lo", "up");
        Execute("ip", "netns", "exec", Node, "sysctl", "-qw", "net.ipv4.ip_forward=1");
        Execute("ip", "netns", "exec", Client, "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535");
        Execute("ip", "netns", "exec", Node, "sysctl", "-qw", "net.ipv4.ip_local_port_range=12000 65535");
        StartSelf(Endpoint, "relay-server");
    }

    private string Client => _prefix + "-client";

    private string Node => _prefix + "-node";

    private string Endpoint => _prefix + "-endpoint";

    /// <returns>A row for each way to the endpoint, and the header above them.</returns>
    public static IEnumerable<string[]> Run()
    {
        using var comparison = new RelayComparison();
        string[][] haproxy = File.Exists("/usr/sbin/haproxy") ? [["haproxy", ""], ["haproxy, splice", "option splice-auto"]] : [];
        yield return ["way", "MiB/s", "connections/s", "round p50 us", "round p99 us", "request p50 us", "request p99 us", "KiB/connection"];
        yield return comparison.Row("routed, no proxy", EndpointAddress, 0, null);
        yield return comparison.Measured("nftables mode", RelayNode.ClusterIp, 0, () => comparison.StartSelf(comparison.Node, "relay-node", "nftables", EndpointAddress), relays: false);
        yield return comparison.Measured("userspace mode", RelayNode.ClusterIp, 0, () => comparison.StartSelf(comparison.Node, "relay-node", "userspace", EndpointAddress), relays: true);
        foreach (var variant in haproxy)
            yield return comparison.Measured(variant[0], NodeAddress, HaproxyOffset, () => comparison.StartHaproxy(variant[1]), relays: true);
    }

    public void Dispose()
    {
        foreach (var process in _processes.AsEnumerable().Reverse()) End(process);
        foreach (var name in (string[])[Client, Node, Endpoint]) Execute("ip", "netns", "delete", name);
    }

    private string[] Measured(string way, string address, int offset, Func<Process> start, bool relays)
    {
        var process = start();
        try
        {
            return Row(way, address, offset, relays ? process : null);
        }
        finally
        {
            End(process);
            if (!relays) Execute("ip", "netns", "exec", Node, "nft", "flush", "ruleset");
        }
    }

    private string[] Row(string way, string address, int offset, Process? relay)
    {
        // First, while the process has no memory to spare from what it did before.
        var memory = relay is null ? "" : MemoryOfConnection(address, offset, relay);
        var result = JsonSerializer.Deserialize(
            Execute("ip", "netns", "exec", Client, Environment.ProcessPath!, "relay-load", address, Text(offset), Text(Each.TotalSeconds)),
            BenchmarkJson.Default.RelayLoadResult)!;
        return
        [
            way, Text(result.MiBPerSecond), Text(result.ConnectionsPerSecond), Text(result.ConnectP50), Text(result.ConnectP99),
            Text(result.RequestP50), Text(result.RequestP99), memory,
        ];
    }

    // Resident memory of the process; what the kernel holds for the two sockets is the same for all.
    private string MemoryOfConnection(string address, int offset, Process relay)
    {
        var few = StartSelf(Client, "relay-hold", address, Text(offset), "100"); // What the first ones cost once.
        var before = ProcessMemory.ResidentKiB(relay.Id);
        var many = StartSelf(Client, "relay-hold", address, Text(offset), Text(IdleConnections));
        var after = ProcessMemory.ResidentKiB(relay.Id);
        End(many);
        End(few);
        return ((after - before) / IdleConnections).ToString("0.00", CultureInfo.InvariantCulture);
    }

    private Process StartHaproxy(string option)
    {
        int[] ports = [RelayServer.AnswerPort, RelayServer.SinkPort, RelayServer.HoldPort];
        var file = Path.Combine(Path.GetTempPath(), _prefix + ".cfg");
        File.WriteAllText(file, $$"""
            global
              nbthread {{Environment.ProcessorCount}}
              maxconn 6000
            defaults
              mode tcp
              {{option}}
              timeout connect 5s
              timeout client 60s
              timeout server 60s
            {{string.Join('\n', ports.Select(port => $"listen p{port}\n  bind {NodeAddress}:{port + HaproxyOffset}\n  server s {EndpointAddress}:{port}"))}}

            """);
        var process = Start(Node, "/usr/sbin/haproxy", "-db", "-f", file);
        while (!IsListening()) Thread.Sleep(20);
        File.Delete(file);
        return process;

        bool IsListening() => process.HasExited
            ? throw new InvalidOperationException("haproxy does not start")
            : Execute("ip", "netns", "exec", Node, "ss", "-Hltn").Contains($":{RelayServer.HoldPort + HaproxyOffset} ", StringComparison.Ordinal);
    }

    private Process StartSelf(string ns, params string[] arguments)
    {
        var process = Start(ns, Environment.ProcessPath!, arguments);
        if (process.StandardOutput.ReadLine() != "ready") throw new InvalidOperationException($"{string.Join(' ', arguments)} does not start");
        return process;
    }

    private Process Start(string ns, string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo("ip", ["netns", "exec", ns, program, .. arguments]) { RedirectStandardOutput = true })!;
        _processes.Add(process);
        return process;
    }

    // ip replaces itself by the program, so its number is the program's.
    private void End(Process process)
    {
        _processes.Remove(process);
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
    }

    private void Connect(string ns, string address, string nodeAddress, string device)
    {
        Execute("ip", "link", "add", "eth0", "netns", ns, "type", "veth", "peer", "name", device, "netns", Node);
        foreach (var (place, name, own) in ((string, string, string)[])[(ns, "eth0", address), (Node, device, nodeAddress)])
        {
            Execute("ip", "-n", place, "address", "add", own, "dev", name);
            Execute("ip", "-n", place, "link", "set", name, "up");
        }
    }

    private static string Text(double value) => value.ToString(value < 10 && value != Math.Floor(value) ? "0.00" : "0", CultureInfo.InvariantCulture);

    private static string Execute(string program, params string[] arguments) => Commands.Execute(program, arguments);
}
