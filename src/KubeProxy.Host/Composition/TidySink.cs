using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;

namespace KubeProxy.Host.Composition;

/// <summary>
/// Passes everything on, and gives back the memory that reading large lists took, before the first sync needs as much again: together
/// they would be the peak of the whole life of the process.
/// </summary>
/// <param name="inner">Takes the objects.</param>
internal sealed class TidySink(IProxySink inner) : IProxySink
{
    // Below that it is not worth the pause.
    private const long Much = 32 << 20;

    private int _large = 2; // Services and endpoint slices.

    public void Upsert(KubernetesObject value) => inner.Upsert(value);

    public void Delete(ObjectKind kind, NamespacedName name) => inner.Delete(kind, name);

    public void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values) => inner.Replace(kind, values);

    public void MarkSynced(ObjectKind kind)
    {
        if (kind is ObjectKind.Service or ObjectKind.EndpointSlice && Interlocked.Decrement(ref _large) == 0 && GC.GetTotalAllocatedBytes() > Much)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        inner.MarkSynced(kind);
    }

    public void Report(string place, IReadOnlyList<ObjectProblem> problems) => inner.Report(place, problems);
}
