using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Sources;

/// <summary>
/// Takes what a source delivers. May be called from any thread; returns at once; never throws because of what an object
/// contains. An object's own name decides which object it is.
/// </summary>
public interface IProxySink
{
    /// <summary>An object is new or changed.</summary>
    void Upsert(KubernetesObject value);

    /// <summary>An object is gone. Unknown names are ignored.</summary>
    void Delete(ObjectKind kind, NamespacedName name);

    /// <summary>
    /// These are all objects of the kind: whatever else is known of the kind is gone. The sequence is enumerated once; if it
    /// throws, what came before counts as upserted, and nothing is deleted.
    /// </summary>
    void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values);

    /// <summary>All objects of the kind that exist have been delivered: from now on what is unknown does not exist.</summary>
    void MarkSynced(ObjectKind kind);

    /// <summary>Replaces the problems that the source has with one of its places, such as a file; none when it is fine.</summary>
    void Report(string place, IReadOnlyList<ObjectProblem> problems);
}
