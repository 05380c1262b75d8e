using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Tracking;

namespace KubeProxy.Host.Node;

/// <summary>
/// Waits for the node's <c>spec.podCIDRs</c>, which <c>detectLocalMode: NodeCIDR</c> needs before there can be rules.
/// </summary>
internal static class PodCidrReader
{
    /// <summary>How long to wait, as upstream does.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Runs the source until it delivers them.</summary>
    /// <exception cref="TimeoutException">They did not come; the message says whether the node or only its blocks are missing.</exception>
    public static async Task<IReadOnlyList<string>> ReadAsync(IProxySource source, string nodeName, TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        var sink = new Sink(new NamespacedName("", nodeName));
        var run = source.RunAsync(sink, stop.Token);
        var first = await Task.WhenAny(run, sink.Found);
        await stop.CancelAsync();
        if (first == sink.Found) return await sink.Found;
        cancellationToken.ThrowIfCancellationRequested();
        if (!patience.IsCancellationRequested) await run;
        throw new TimeoutException(sink.Seen
            ? $"node {nodeName} has no spec.podCIDRs, which detectLocalMode NodeCIDR needs"
            : $"there is no Node {nodeName}, whose spec.podCIDRs detectLocalMode NodeCIDR needs");
    }

    private sealed class Sink(NamespacedName node) : IProxySink
    {
        private readonly TaskCompletionSource<IReadOnlyList<string>> _found = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<IReadOnlyList<string>> Found => _found.Task;

        public bool Seen { get; private set; }

        public void Upsert(KubernetesObject value)
        {
            if (value is not Core.Kubernetes.Node found || found.Name != node) return;
            Seen = true;
            if (found.Spec.PodCidrs.Count > 0) _found.TrySetResult(found.Spec.PodCidrs);
        }

        public void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values)
        {
            foreach (var value in values) Upsert(value);
        }

        public void Delete(ObjectKind kind, NamespacedName name) { }

        public void MarkSynced(ObjectKind kind) { }

        public void Report(string place, IReadOnlyList<ObjectProblem> problems) { }
    }
}
