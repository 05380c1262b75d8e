using System.Diagnostics;
using System.Globalization;

namespace KubeProxy.ApiBenchmark;

/// <summary>
/// How long after an outage of the API server the kernel holds what changed meanwhile: from the moment when the server listens again, or
/// the cable is plugged in, to a connection to a service that came during the outage.
/// </summary>
internal sealed class Outages(string binary, int services, int endpoints, TimeSpan duration)
{
    private const int Port = 6443;

    /// <summary>Between outages: longer than any client takes to think that all is well.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly string[] Kinds = ["killed", "killed thrice", "link down", "compacted"];

    private readonly List<(string Kind, TimeSpan Time)> _results = [];

    public async Task<int> RunAsync(int count)
    {
        var directory = Directory.CreateTempSubdirectory("kube-proxy-benchmark-").FullName;
        using var namespaces = new Namespaces();
        try
        {
            var authority = Path.Combine(directory, "ca.crt");
            await using var server = await ServerProcess.StartAsync(namespaces.Server, services, endpoints, Port, authority);
            await RunAsync(count, namespaces, server, directory, ProxyConfiguration.Write(directory, authority));
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task RunAsync(int count, Namespaces namespaces, ServerProcess server, string directory, string configuration)
    {
        await using var proxy = new RunningProxy(namespaces.Proxy, binary, directory, configuration);
        await using var probing = new Probing(namespaces.Proxy);
        await proxy.ReadyAsync();
        for (var number = 0; number < count; number++) await MeasureAsync(number, namespaces, server, probing);
        Print();
    }

    private async Task MeasureAsync(int number, Namespaces namespaces, ServerProcess server, Probing probing)
    {
        await Task.Delay(Pause);
        var kind = Kinds[number % Kinds.Length];
        var start = await (kind == "link down" ? UnplugAsync(number, namespaces, server) : StopAsync(kind, number, server));
        await probing.WaitAsync(Serving.AddressOf(number), Patience);
        var time = Stopwatch.GetElapsedTime(start);
        _results.Add((kind, time));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{number + 1,3}  {kind,-13}  {time.TotalSeconds,6:0.00} s"));
    }

    /// <summary>Returns when it was over.</summary>
    private async Task<long> UnplugAsync(int number, Namespaces namespaces, ServerProcess server)
    {
        namespaces.Unplug();
        await server.ChangeAsync(number);
        await Task.Delay(duration);
        namespaces.Plug();
        return Stopwatch.GetTimestamp();
    }

    private async Task<long> StopAsync(string kind, int number, ServerProcess server)
    {
        await server.StopAsync();
        for (var i = 0; kind == "killed thrice" && i < 2; i++)
        {
            await Task.Delay(duration / 4);
            await server.StartAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(50));
            await server.StopAsync();
        }

        await server.ChangeAsync(number);
        if (kind == "compacted") await server.CompactAsync();
        await Task.Delay(kind == "killed thrice" ? duration / 2 : duration);
        await server.StartAsync();
        return Stopwatch.GetTimestamp();
    }

    private void Print()
    {
        Console.WriteLine($"{"",-13}  outages  p50 s  p95 s  most s");
        foreach (var kind in Kinds) Print(kind, [.. _results.Where(result => result.Kind == kind).Select(result => result.Time).Order()]);
        Print("all", [.. _results.Select(result => result.Time).Order()]);
    }

    private static void Print(string kind, TimeSpan[] times)
    {
        if (times.Length == 0) return;
        double Of(double part) => times[(int)Math.Ceiling(part * times.Length) - 1].TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind,-13}  {times.Length,7}  {Of(0.5),5:0.00}  {Of(0.95),5:0.00}  {Of(1),6:0.00}"));
    }
}
