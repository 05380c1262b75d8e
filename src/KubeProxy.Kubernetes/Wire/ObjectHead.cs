using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;

namespace KubeProxy.Kubernetes.Wire;

/// <summary>
/// The identity of an object: all that a deletion or a bookmark needs, and all that can be had of an object that is malformed.
/// </summary>
internal readonly record struct ObjectHead(string Name, string Namespace, string? ResourceVersion, bool InitialEventsEnd)
{
    /// <summary>The annotation of the bookmark after which the initial state is complete; its value is <c>true</c>.</summary>
    public const string InitialEventsEndAnnotation = "k8s.io/initial-events-end";

    public NamespacedName NameAs(ObjectKind kind) => new(kind.IsNamespaced() ? Namespace : "", Name);
}
