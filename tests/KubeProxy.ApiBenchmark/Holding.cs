using System.Collections.Concurrent;
using System.Diagnostics;
using k8s;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Kubernetes;
using KubeProxy.Kubernetes.Client;

namespace KubeProxy.ApiBenchmark;

/// <summary>All Services and EndpointSlices in memory: as typed lists of the official client, or as what our source made of its connection.</summary>
internal static class Holding
{
    /// <summary>Three times: the first is what a start costs, with the compilation of what it runs; only that one's peak is its own.</summary>
    public static async Task<int> RunAsync(Uri url, bool typed, int pageSize, string contentType)
    {
        using var kubernetes = new k8s.Kubernetes(new KubernetesClientConfiguration { Host = url.ToString() });
        for (var round = 0; round < 3; round++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive);
            var (start, allocated, cpu) = (Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes(), Environment.CpuUsage.TotalTime);
            var held = typed ? await ListAsync(kubernetes, pageSize) : await ReadAsync(kubernetes, pageSize, contentType);
            var time = Stopwatch.GetElapsedTime(start);
            Console.Write($"{held.Count} objects in {time.TotalSeconds:0.00} s, cpu {(Environment.CpuUsage.TotalTime - cpu).TotalSeconds:0.00} s, {(GC.GetTotalAllocatedBytes() - allocated) >> 20} MB allocated, peak {ProcessNumbers.MiB("self", "VmHWM"):0} MiB");
            GC.Collect(2, GCCollectionMode.Aggressive);
            Console.WriteLine($"; held: heap {GC.GetTotalMemory(true) >> 20} MB, RSS {ProcessNumbers.MiB("self", "VmRSS"):0} MiB");
            GC.KeepAlive(held);
        }

        return 0;
    }

    private static async Task<IReadOnlyCollection<object>> ListAsync(k8s.Kubernetes kubernetes, int pageSize)
    {
        List<object> held = [];
        string? page = null;
        do
        {
            var list = await kubernetes.CoreV1.ListServiceForAllNamespacesAsync(limit: pageSize == 0 ? null : pageSize, continueParameter: page);
            held.AddRange(list.Items);
            page = list.Metadata.ContinueProperty;
        }
        while (!string.IsNullOrEmpty(page));
        do
        {
            var list = await kubernetes.DiscoveryV1.ListEndpointSliceForAllNamespacesAsync(limit: pageSize == 0 ? null : pageSize, continueParameter: page);
            held.AddRange(list.Items);
            page = list.Metadata.ContinueProperty;
        }
        while (!string.IsNullOrEmpty(page));
        return held;
    }

    private static async Task<IReadOnlyCollection<object>> ReadAsync(k8s.Kubernetes kubernetes, int pageSize, string contentType)
    {
        var sink = new HoldingSink();
        var source = kubernetes.AsProxySource(
            new ApiServerSourceOptions { NodeName = "node1", StreamInitialState = false, PageSize = pageSize },
            new ApiClientOptions { AcceptContentTypes = contentType, Compress = false, OmitManagedFields = false });
        using var stop = new CancellationTokenSource();
        var running = source.RunAsync(sink, stop.Token);
        await sink.Synced.Task;
        await stop.CancelAsync();
        await Task.WhenAny(running);
        return sink.Objects;
    }

    private sealed class HoldingSink : IProxySink
    {
        private int _synced;

        public TaskCompletionSource Synced { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<object> Objects { get; } = [];

        public void Upsert(KubeProxy.Core.Kubernetes.KubernetesObject value) => Objects.Enqueue(value);

        public void Delete(ObjectKind kind, NamespacedName name) { }

        public void Replace(ObjectKind kind, IEnumerable<KubeProxy.Core.Kubernetes.KubernetesObject> values) { }

        public void MarkSynced(ObjectKind kind)
        {
            if (Interlocked.Increment(ref _synced) == ObjectKinds.All.Count) Synced.TrySetResult();
        }

        public void Report(string place, IReadOnlyList<ObjectProblem> problems) => Console.WriteLine(string.Join("; ", problems));
    }
}
