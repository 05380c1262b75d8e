using System.Diagnostics;
using System.Diagnostics.Metrics;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Metrics;

/// <summary>The process as every Prometheus client describes it, and the version.</summary>
internal sealed class ProcessInstruments : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "KubeProxy.Process";

    private readonly Meter _meter = new(MeterName);
    private readonly Process _process = Process.GetCurrentProcess();

    public ProcessInstruments()
    {
        var start = (new DateTimeOffset(_process.StartTime) - DateTimeOffset.UnixEpoch).TotalSeconds;
        _meter.CreateObservableGauge("process_start_time_seconds", () => start, null, "Start time of the process since unix epoch in seconds.");
        _meter.CreateObservableCounter("process_cpu_seconds_total", () => Refreshed().TotalProcessorTime.TotalSeconds, null, "Total user and system CPU time spent in seconds.");
        _meter.CreateObservableGauge("process_resident_memory_bytes", () => Refreshed().WorkingSet64, null, "Resident memory size in bytes.");
        _meter.CreateObservableGauge("process_virtual_memory_bytes", () => Refreshed().VirtualMemorySize64, null, "Virtual memory size in bytes.");
        _meter.CreateObservableGauge("process_open_fds", CountOpenFiles, null, "Number of open file descriptors.");
        _meter.CreateObservableCounter("dotnet_gc_allocated_bytes_total", () => GC.GetTotalAllocatedBytes(), null, "Bytes allocated on the managed heap.");
        _meter.CreateObservableGauge("dotnet_gc_heap_bytes", () => GC.GetTotalMemory(false), null, "Bytes in use on the managed heap.");
        _meter.CreateObservableGauge("kubernetes_build_info", BuildInfo, null, "[BETA] A metric with a constant '1' value labeled by the version this proxy stands in for.");
    }

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

    private static Measurement<int> BuildInfo() => new(
        1,
        new("major", KubernetesVersion.Major), new("minor", KubernetesVersion.Minor), new("git_version", KubernetesVersion.Full),
        new("compiler", "dotnet"), new("platform", "linux/" + System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()));
}
