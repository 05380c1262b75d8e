using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace KubeProxy.Host.Metrics;

/// <summary>The process as every Prometheus client describes it.</summary>
internal sealed class ProcessInstruments : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "KubeProxy.Process";

    private readonly Meter _meter = new(MeterName);
    private readonly Process _process = Process.GetCurrentProcess();

    public ProcessInstruments()
    {
        Start = new DateTimeOffset(_process.StartTime).ToUniversalTime();
        var start = (Start - DateTimeOffset.UnixEpoch).TotalSeconds;
        _meter.CreateObservableGauge("process_start_time_seconds", () => start, null, "Start time of the process since unix epoch in seconds.");
        _meter.CreateObservableCounter("process_cpu_seconds_total", () => Refreshed().TotalProcessorTime.TotalSeconds, null, "Total user and system CPU time spent in seconds.");
        _meter.CreateObservableGauge("process_resident_memory_bytes", () => Refreshed().WorkingSet64, null, "Resident memory size in bytes.");
        _meter.CreateObservableGauge("process_virtual_memory_bytes", () => Refreshed().VirtualMemorySize64, null, "Virtual memory size in bytes.");
        _meter.CreateObservableGauge("process_open_fds", CountOpenFiles, null, "Number of open file descriptors.");
        _meter.CreateObservableGauge("process_virtual_memory_max_bytes", () => Limit("Max address space"), null, "Most virtual memory in bytes; -1 for no limit.");
        _meter.CreateObservableGauge("process_max_fds", () => Limit("Max open files"), null, "Most open file descriptors; -1 for no limit.");
    }

    /// <summary>When the process started.</summary>
    public DateTimeOffset Start { get; }

    public void Dispose()
    {
        _meter.Dispose();
        _process.Dispose();
    }

    private Process Refreshed()
    {
        _process.Refresh();
        return _process;
    }

    private static int CountOpenFiles()
    {
        try
        {
            return Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
        }
        catch (IOException)
        {
            return 0; // No /proc: say nothing rather than fail the scrape.
        }
    }

    /// <summary>The soft limit in a line of <c>/proc/self/limits</c>, whose columns begin where those of the first line do.</summary>
    private static double Limit(string name)
    {
        try
        {
            var line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) ?? "";
            var value = line[Math.Min(name.Length, line.Length)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
            return double.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : -1;
        }
        catch (IOException)
        {
            return -1;
        }
    }
}
