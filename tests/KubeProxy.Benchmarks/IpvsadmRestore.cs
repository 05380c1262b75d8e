using System.Diagnostics;

namespace KubeProxy.Benchmarks;

/// <summary>The real <c>ipvsadm</c> loading the same virtual services and destinations. It has no part in addresses and rules.</summary>
internal static class IpvsadmRestore
{
    private const string FullText = "full";

    /// <summary>Writes what has to be restored to a file in the directory.</summary>
    public static async Task WriteTextAsync(int services, string directory)
    {
        await using var rig = new Rig(null, BackendMode.Ipvs, listen: false);
        rig.Deliver(services);
        await rig.StartAsync();
        File.WriteAllText(Path.Combine(directory, FullText), Commands.Execute("ipvsadm", "-Sn"));
    }

    /// <returns>What it costs.</returns>
    public static Dictionary<string, Cost> Measure(string directory)
    {
        var text = File.ReadAllText(Path.Combine(directory, FullText));
        var (start, cpu) = (Stopwatch.GetTimestamp(), Commands.CpuOfChildren());
        Commands.ExecuteWithInput(text, "ipvsadm", "-R");
        return new Dictionary<string, Cost> { [Scenario.FullSync] = new(Stopwatch.GetElapsedTime(start).TotalMilliseconds, Commands.CpuOfChildren() - cpu) };
    }
}
