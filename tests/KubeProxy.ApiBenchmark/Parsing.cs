using System.Diagnostics;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Kubernetes;
using KubeProxy.Kubernetes.Access;

namespace KubeProxy.ApiBenchmark;

/// <summary>The source alone: what reading costs without the engine.</summary>
internal static class Parsing
{
    public static async Task<int> RunAsync(Uri url, string? caFile, bool stream, string contentType, bool gzip = false, bool drop = false)
    {
        for (var round = 0; round < 3; round++)
        {
            var start = Stopwatch.GetTimestamp();
            var allocated = GC.GetTotalAllocatedBytes();
            var cpu = Environment.CpuUsage.TotalTime;
            var objects = await ReadAsync(url, caFile, stream, contentType, gzip, drop);
            Console.WriteLine($"{objects} objects in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.00} s, cpu {(Environment.CpuUsage.TotalTime - cpu).TotalSeconds:0.00} s, {(GC.GetTotalAllocatedBytes() - allocated) >> 20} MB allocated");
        }

        return 0;
    }

    /// <summary>Reads everything once, and returns how many objects that were.</summary>
    public static async Task<int> ReadAsync(Uri url, string? caFile, bool stream, string contentType, bool gzip = false, bool drop = false)
    {
        var sink = new CountingSink();
        using var client = new ApiClient(new ApiServerAccess { Server = url, CertificateAuthority = caFile is null ? null : SecretContent.OfFile(caFile) }, new ApiClientOptions { AcceptContentTypes = contentType, Compress = gzip, OmitManagedFields = drop });
        var source = new ApiServerSource(client, new ApiServerSourceOptions { NodeName = "node1", StreamInitialState = stream });
        using var stop = new CancellationTokenSource();
        var running = source.RunAsync(sink, stop.Token);
        await sink.Synced.Task;
        await stop.CancelAsync();
        await Task.WhenAny(running);
        return sink.Objects;
    }

    private sealed class CountingSink : IProxySink
    {
        private int _objects;
        private int _synced;

        public TaskCompletionSource Synced { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Objects => _objects;

        public void Upsert(KubernetesObject value) => Interlocked.Increment(ref _objects);

        public void Delete(ObjectKind kind, NamespacedName name)
        {
        }

        public void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values)
        {
        }

        public void MarkSynced(ObjectKind kind)
        {
            if (Interlocked.Increment(ref _synced) == ObjectKinds.All.Count) Synced.TrySetResult();
        }

        public void Report(string place, IReadOnlyList<ObjectProblem> problems) => Console.WriteLine(string.Join("; ", problems));
    }
}
