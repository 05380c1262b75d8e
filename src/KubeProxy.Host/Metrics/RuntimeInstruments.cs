using System.Diagnostics.Metrics;
using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;

namespace KubeProxy.Host.Metrics;

/// <summary>The language runtime: heap, collections, threads, locks, compilation.</summary>
internal sealed class RuntimeInstruments : IDisposable
{
    private readonly Meter _meter = new("KubeProxy.Runtime");

    public RuntimeInstruments()
    {
        Gauge("dotnet_info", () => [new Measurement<long>(1, new KeyValuePair<string, object?>("version", RuntimeInformation.FrameworkDescription))], "Constant 1, labeled by the version of the runtime.");
        Counter("dotnet_gc_collections_total", Collections, "Garbage collections by generation.");
        _meter.CreateObservableCounter("dotnet_gc_pause_seconds_total", () => GC.GetTotalPauseDuration().TotalSeconds, null, "Time that threads were paused by garbage collections.");
        Counter("dotnet_gc_allocated_bytes_total", () => GC.GetTotalAllocatedBytes(), "Bytes allocated on the managed heap.");
        Gauge("dotnet_gc_heap_bytes", () => GC.GetTotalMemory(false), "Bytes in use on the managed heap.");
        Gauge("dotnet_gc_committed_bytes", () => GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes, "Bytes committed for the managed heap at the last collection.");
        Gauge("dotnet_threadpool_threads", () => ThreadPool.ThreadCount, "Threads of the thread pool.");
        Gauge("dotnet_threadpool_queued_items", () => ThreadPool.PendingWorkItemCount, "Work items that wait for a thread.");
        Counter("dotnet_threadpool_completed_items_total", () => ThreadPool.CompletedWorkItemCount, "Work items done.");
        Gauge("dotnet_timers", () => Timer.ActiveCount, "Timers that are set.");
        Counter("dotnet_lock_contentions_total", () => Monitor.LockContentionCount, "Times that a thread had to wait for a lock.");
        Counter("dotnet_jit_compiled_methods_total", () => JitInfo.GetCompiledMethodCount(), "Methods compiled while running, not ahead of time.");
        _meter.CreateObservableCounter("dotnet_jit_compilation_seconds_total", () => JitInfo.GetCompilationTime().TotalSeconds, null, "Time spent to compile them.");
    }

    public void Dispose() => _meter.Dispose();

    private void Counter(string name, Func<long> value, string help) => _meter.CreateObservableCounter(name, value, null, help);

    private void Counter(string name, Func<IEnumerable<Measurement<long>>> values, string help) => _meter.CreateObservableCounter(name, values, null, help);

    private void Gauge(string name, Func<long> value, string help) => _meter.CreateObservableGauge(name, value, null, help);

    private void Gauge(string name, Func<IEnumerable<Measurement<long>>> values, string help) => _meter.CreateObservableGauge(name, values, null, help);

    private static IEnumerable<Measurement<long>> Collections() => Enumerable.Range(0, GC.MaxGeneration + 1).Select(generation =>
        new Measurement<long>(GC.CollectionCount(generation), new KeyValuePair<string, object?>("generation", generation.ToString(CultureInfo.InvariantCulture))));
}
