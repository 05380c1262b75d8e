using System.Globalization;

namespace KubeProxy.ApiBenchmark;

/// <summary>
/// The program in the course of its life: started, under a steady load of changes, left alone, killed and started again with everything
/// in the kernel. Prints one line of JSON.
/// </summary>
internal sealed class Running(string binary, int services, int endpoints, bool affinity)
{
    private const int Port = 6443;
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Sample = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    private readonly List<string> _numbers = [];

    /// <param name="rate">Changes in a second; 0 for no load.</param>
    /// <param name="duration">For how long.</param>
    public async Task<int> RunAsync(int rate, TimeSpan duration)
    {
        var directory = Directory.CreateTempSubdirectory("kube-proxy-benchmark-").FullName;
        using var namespaces = new Namespaces();
        try
        {
            var authority = Path.Combine(directory, "ca.crt");
            await using var server = await ServerProcess.StartAsync(namespaces.Server, services, endpoints, Port, authority, affinity);
            var configuration = ProxyConfiguration.Write(directory, authority);
            await using (var proxy = new RunningProxy(namespaces.Proxy, binary, directory, configuration))
            {
                await StartedAsync("start", proxy);
                Note("peak_mib", proxy.PeakMiB);
                await Task.Delay(SettleTime);
                Note("settled_mib", proxy.RssMiB);
                if (rate > 0) await LoadAsync(proxy, server, rate, duration);
            }

            await using (var proxy = new RunningProxy(namespaces.Proxy, binary, directory, configuration)) await StartedAsync("restart", proxy);
            Console.WriteLine($"{{\"services\": {services}, \"endpoints\": {endpoints}, \"affinity\": {(affinity ? "true" : "false")}, {string.Join(", ", _numbers)}}}");
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task StartedAsync(string what, RunningProxy proxy)
    {
        Note($"{what}_ms", (await proxy.ReadyAsync()).TotalMilliseconds);
        Note($"{what}_cpu_ms", proxy.Cpu.TotalMilliseconds);
    }

    private async Task LoadAsync(RunningProxy proxy, ServerProcess server, int rate, TimeSpan duration)
    {
        var cpu = proxy.Cpu;
        var load = server.ChurnAsync(rate, duration);
        List<double> memory = [];
        while (!load.IsCompleted)
        {
            await Task.WhenAny(load, Task.Delay(Sample));
            memory.Add(proxy.RssMiB);
        }

        await load;
        Note("churn_cpu_ms_per_change", (proxy.Cpu - cpu).TotalMilliseconds / (rate * duration.TotalSeconds));
        Note("churn_most_mib", memory.Max());
        Note("churn_end_mib", memory[^1]);
        await Task.Delay(Rest);
        Note("minute_later_mib", proxy.RssMiB);
    }

    private void Note(string name, double value) => _numbers.Add(string.Create(CultureInfo.InvariantCulture, $"\"{name}\": {value:0.###}"));
}
