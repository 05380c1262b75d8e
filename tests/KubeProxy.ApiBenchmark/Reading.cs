using System.Diagnostics;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Kubernetes;
using KubeProxy.Kubernetes.Access;

namespace KubeProxy.ApiBenchmark;

/// <summary>The reader: source and engine, and nothing after that.</summary>
internal static class Reading
{
    public static async Task<int> RunAsync(Uri url, string? caFile, bool stream, string contentType, bool gzip = false, bool drop = false)
    {
        Print("before", TimeSpan.Zero, 0);
        var start = Stopwatch.GetTimestamp();
        var allocated = GC.GetTotalAllocatedBytes();
        var backend = new NullBackend();
        using var engine = new ProxyEngine(new ProxyOptions { NodeName = "node1" }, [backend]);
        using var client = new ApiClient(new ApiServerAccess { Server = url, CertificateAuthority = caFile is null ? null : SecretContent.OfFile(caFile) }, new ApiClientOptions { AcceptContentTypes = contentType, Compress = gzip, OmitManagedFields = drop });
        var source = new ApiServerSource(client, new ApiServerSourceOptions { NodeName = "node1", StreamInitialState = stream });
        using var stop = new CancellationTokenSource();
        var running = Task.WhenAll(source.RunAsync(engine, stop.Token), engine.RunAsync(stop.Token));
        await backend.FirstSync.Task;
        Print("planned", Stopwatch.GetElapsedTime(start), GC.GetTotalAllocatedBytes() - allocated);
        var counts = engine.GetStatus().Counts;
        Console.WriteLine($"{counts.Services} services, {counts.Endpoints} endpoints, {backend.Ports} service ports; collections {GC.CollectionCount(0)}/{GC.CollectionCount(1)}/{GC.CollectionCount(2)}; cpu {Environment.CpuUsage.TotalTime.TotalSeconds:0.00} s");
        GC.Collect(2, GCCollectionMode.Aggressive);
        Print("settled", Stopwatch.GetElapsedTime(start), GC.GetTotalAllocatedBytes() - allocated);
        await stop.CancelAsync();
        await Task.WhenAny(running);
        return 0;
    }

    private static void Print(string what, TimeSpan time, long allocated) => Console.WriteLine(
        $"{what,-8} {time.TotalSeconds,6:0.00} s  allocated {allocated >> 20,5} MB  heap {GC.GetTotalMemory(false) >> 20,4} MB  RSS {ProcessNumbers.MiB("self", "VmRSS"),4:0} MB  peak {ProcessNumbers.MiB("self", "VmHWM"),4:0} MB");

    private sealed class NullBackend : IProxyBackend
    {
        public TaskCompletionSource FirstSync { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Ports { get; private set; }

        public IpFamily Family => IpFamily.IPv4;

        public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
        {
            Ports += changes.Updated.Count;
            FirstSync.TrySetResult();
            return Task.FromResult(new SyncResult());
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
