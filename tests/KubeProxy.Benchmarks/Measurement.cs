using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;

namespace KubeProxy.Benchmarks;

/// <summary>What one phase cost. Times are milliseconds.</summary>
internal sealed record Measurement
{
    public required string Phase { get; init; }

    public required int Services { get; init; }

    public int Runs { get; init; }

    public double WallMean { get; init; }

    public double WallP50 { get; init; }

    public double WallP99 { get; init; }

    public double CpuMean { get; init; }

    public long Messages { get; init; }

    public long Bytes { get; init; }

    public long WriteMessages { get; init; }

    public long AllocatedBytes { get; init; }

    public double PeakRssMiB { get; init; }

    /// <summary>After a collection at the end of the phase; null where that was not measured.</summary>
    public double? SettledRssMiB { get; init; }

    public double? FloorMean { get; init; }

    public double? FloorCpu { get; init; }

    public double? Ratio => FloorMean is > 0 ? WallMean / FloorMean : null;

    public double? CpuRatio => FloorCpu is > 0 ? CpuMean / FloorCpu : null;

    public static readonly string[] Header =
        ["services", "phase", "runs", "mean ms", "p50 ms", "p99 ms", "cpu ms", "floor ms", "floor cpu", "ratio", "cpu ratio", "messages", "bytes", "alloc KiB", "peak RSS MiB", "settled MiB"];

    public string[] Row() =>
    [
        Services.ToString(CultureInfo.InvariantCulture), Phase, Runs.ToString(CultureInfo.InvariantCulture),
        Number(WallMean), Number(WallP50), Number(WallP99), Number(CpuMean), FloorMean is { } floor ? Number(floor) : "",
        FloorCpu is { } floorCpu ? Number(floorCpu) : "", Ratio is { } ratio ? Number(ratio) : "", CpuRatio is { } cpuRatio ? Number(cpuRatio) : "", (Messages / Math.Max(1, Runs)).ToString(CultureInfo.InvariantCulture),
        (Bytes / Math.Max(1, Runs)).ToString(CultureInfo.InvariantCulture), Number(AllocatedBytes / 1024.0 / Math.Max(1, Runs)), Number(PeakRssMiB),
        SettledRssMiB is { } settled ? Number(settled) : "",
    ];

    private static string Number(double value) => value.ToString(value < 10 ? "0.000" : "0.0", CultureInfo.InvariantCulture);
}

/// <summary>Collects the runs of a phase.</summary>
internal sealed class Stopwatches(string phase, int services)
{
    private readonly List<double> _wall = [];
    private readonly TimeSpan _cpu = Process.GetCurrentProcess().TotalProcessorTime;
    private readonly long _allocated = GC.GetTotalAllocatedBytes();

    public async Task RunAsync(Func<Task> run)
    {
        var start = Stopwatch.GetTimestamp();
        await run();
        _wall.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    public Measurement Finish(Netlink.NetlinkCounters before, Netlink.NetlinkCounters after)
    {
        var allocated = GC.GetTotalAllocatedBytes() - _allocated;
        var cpu = Process.GetCurrentProcess().TotalProcessorTime - _cpu;
        var sorted = _wall.Order().ToArray();
        return new Measurement
        {
            Phase = phase,
            Services = services,
            Runs = sorted.Length,
            WallMean = sorted.Average(),
            WallP50 = sorted[sorted.Length / 2],
            WallP99 = sorted[Math.Min(sorted.Length - 1, sorted.Length * 99 / 100)],
            CpuMean = cpu.TotalMilliseconds / sorted.Length,
            Messages = after.Messages - before.Messages,
            Bytes = after.Bytes - before.Bytes,
            WriteMessages = after.WriteMessages - before.WriteMessages,
            AllocatedBytes = allocated,
            PeakRssMiB = ProcessMemory.PeakMiB(),
        };
    }
}

/// <summary>The resident memory of this process.</summary>
internal static class ProcessMemory
{
    public static double PeakMiB() => Read("VmHWM:");

    /// <summary>What is resident once everything that can be given back has been.</summary>
    public static double SettledMiB()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return Read("VmRSS:");
    }

    /// <summary>What is resident of another process.</summary>
    public static double ResidentKiB(int process) => ReadKiB($"{process}", "VmRSS:");

    private static double Read(string field) => ReadKiB("self", field) / 1024;

    private static double ReadKiB(string process, string field) => File.ReadLines($"/proc/{process}/status")
        .Where(line => line.StartsWith(field, StringComparison.Ordinal))
        .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture))
        .First();
}

[JsonSerializable(typeof(List<Measurement>))]
[JsonSerializable(typeof(List<double>))]
[JsonSerializable(typeof(RelayLoadResult))]
[JsonSourceGenerationOptions(WriteIndented = true)]
internal sealed partial class BenchmarkJson : JsonSerializerContext;
