using System.Globalization;
using System.Net;
using System.Text.Json;
using KubeProxy.Benchmarks;

// Without arguments: everything, as a table and as JSON. With sizes: only those. "iptables" or "ipvs" before sizes: that backend instead
// of nftables; "affinity": nftables, with services that ask for session affinity. "iptables restore SIZE...": the real iptables-nft-restore with the same rules; "ipvs restore SIZE...": the real ipvsadm.
// "iptables orders SIZE": what the kernel's part depends on. "relay": the userspace mode beside haproxy. The rest is for its own children, each of which runs in a fresh network namespace.
var mode = args switch { ["iptables", ..] => BackendMode.Iptables, ["ipvs", ..] => BackendMode.Ipvs, ["affinity", ..] => BackendMode.Affinity, _ => BackendMode.Nftables };
string[] prefix = mode == BackendMode.Nftables ? [] : [args[0]];
args = args[prefix.Length..];
switch (args)
{
    case ["measure", var size]:
        Print(await Scenario.RunAsync(Number(size), mode, record: null));
        return 0;
    case ["starts", var size]:
        Print(await Scenario.RunAsync(Number(size), mode, record: null, starts: true));
        return 0;
    case ["record", var size, var file]:
        await Scenario.RunAsync(Number(size), mode, file);
        return 0;
    case ["replay", var file]:
        Cost.Print(await Floor.ReplayAsync(file));
        return 0;
    case ["orders", var size]:
        Console.WriteLine(InNamespace("measure-orders", size));
        return 0;
    case ["measure-orders", var size]:
        Table(await IptablesOrders.RunAsync(Number(size)), IptablesOrders.Header);
        return 0;
    case ["restore", .. var restored]:
        Table(restored.SelectMany(RestoreRows), ["services", "phase", mode == BackendMode.Ipvs ? "ipvsadm ms" : "iptables-nft-restore ms", "cpu ms"]);
        return 0;
    case ["write-texts", var size, var directory]:
        await (mode == BackendMode.Ipvs ? IpvsadmRestore.WriteTextAsync(Number(size), directory) : IptablesRestore.WriteTextsAsync(Number(size), directory));
        return 0;
    case ["measure-restore", var directory]:
        Cost.Print(mode == BackendMode.Ipvs ? IpvsadmRestore.Measure(directory) : await IptablesRestore.MeasureAsync(directory));
        return 0;
    case ["relay"]:
        string[][] relays = [.. RelayComparison.Run()];
        Table(relays[1..], relays[0]);
        return 0;
    case ["relay-server"]:
        RelayServer.Run();
        return 0;
    case ["relay-node", var relayMode, var endpoint]:
        await RelayNode.RunAsync(relayMode, endpoint);
        return 0;
    case ["relay-load", var target, var offset, var seconds]:
        Console.WriteLine(JsonSerializer.Serialize(
            RelayLoad.Run(IPAddress.Parse(target), Number(offset), TimeSpan.FromSeconds(Number(seconds))), BenchmarkJson.Default.RelayLoadResult));
        return 0;
    case ["relay-hold", var target, var offset, var count]:
        RelayLoad.Hold(IPAddress.Parse(target), Number(offset), Number(count));
        return 0;
    case ["first-packet", var size]:
        Console.WriteLine(JsonSerializer.Serialize(await FirstPacket.MeasureAsync(Number(size)), BenchmarkJson.Default.ListDouble));
        return 0;
}

int[] sizes = args.Length > 0 ? [.. args.Select(Number)] : [1000, 10_000, 50_000];
var all = new List<Measurement>();
foreach (var size in sizes)
{
    var measured = JsonSerializer.Deserialize(InNamespace([.. prefix, "measure", $"{size}"]), BenchmarkJson.Default.ListMeasurement)!;
    var recording = Path.GetTempFileName();
    try
    {
        InNamespace([.. prefix, "record", $"{size}", recording]);
        var floor = Cost.Read(InNamespace("replay", recording));
        all.AddRange(measured.Select(m => floor.TryGetValue(m.Phase, out var cost) ? m with { FloorMean = cost.Wall, FloorCpu = cost.Cpu } : m));
    }
    finally
    {
        File.Delete(recording);
    }
}

Table(all.Select(m => m.Row()), Measurement.Header);
if (args.Length == 0)
{
    Console.WriteLine();
    var rows = new[] { 1, 1000, 30_000 }.Select(size => (string[])
        [$"{size}", .. JsonSerializer.Deserialize(InNamespace("first-packet", $"{size}"), BenchmarkJson.Default.ListDouble)!.Select(us => us.ToString("0.0", CultureInfo.InvariantCulture))]);
    Table(rows, ["services", "direct us", "first us", "middle us", "last us"]);
}

var json = Path.Combine(Environment.CurrentDirectory, "artifacts", "benchmarks.json");
Directory.CreateDirectory(Path.GetDirectoryName(json)!);
File.WriteAllText(json, JsonSerializer.Serialize(all, BenchmarkJson.Default.ListMeasurement));
Console.WriteLine($"\nwritten: {json}");
return 0;

IEnumerable<string[]> RestoreRows(string size)
{
    var directory = Directory.CreateTempSubdirectory("kube-proxy-restore");
    try
    {
        InNamespace([.. prefix, "write-texts", size, directory.FullName]);
        foreach (var (phase, cost) in Cost.Read(InNamespace([.. prefix, "measure-restore", directory.FullName])))
            yield return [size, phase, cost.Wall.ToString("0", CultureInfo.InvariantCulture), cost.Cpu.ToString("0", CultureInfo.InvariantCulture)];
    }
    finally
    {
        directory.Delete(recursive: true);
    }
}

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static void Print(List<Measurement> measurements) =>
    Console.WriteLine(JsonSerializer.Serialize(measurements, BenchmarkJson.Default.ListMeasurement));

static string InNamespace(params string[] arguments)
{
    var name = $"kpb-{Environment.ProcessId}";
    Commands.Execute("ip", "netns", "add", name);
    try
    {
        Commands.Execute("ip", "-n", name, "link", "set", "lo", "up");
        // Packets to a cluster IP need a route before the rules can translate them.
        Commands.Execute("ip", "-n", name, "address", "add", Cluster.LoopbackEndpoint + "/32", "dev", "lo");
        Commands.Execute("ip", "-n", name, "route", "add", "default", "dev", "lo", "src", Cluster.LoopbackEndpoint);
        return Commands.Execute("ip", ["netns", "exec", name, Environment.ProcessPath!, .. arguments]);
    }
    finally
    {
        Commands.Execute("ip", "netns", "delete", name);
    }
}

static void Table(IEnumerable<string[]> rows, string[] header)
{
    string[][] all = [header, .. rows];
    var widths = header.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
    foreach (var row in all) Console.WriteLine("| " + string.Join(" | ", row.Select((cell, column) => cell.PadLeft(widths[column]))) + " |");
}
