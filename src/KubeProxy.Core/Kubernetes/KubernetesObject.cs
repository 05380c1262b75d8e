using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Kubernetes;

/// <summary>
/// A Kubernetes object, cut down to what a service proxy needs. Content is as the API or a manifest has it: nothing is
/// checked here. Lists are never null and have no null elements, whatever the document says.
/// </summary>
public abstract record KubernetesObject
{
    /// <summary><c>metadata</c>.</summary>
    [AllowNull]
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    /// <summary>The kind of the object.</summary>
    [JsonIgnore]
    public abstract ObjectKind Kind { get; }

    /// <summary>The name, with an empty namespace for cluster-scoped kinds.</summary>
    [JsonIgnore]
    public NamespacedName Name => new(Kind.IsNamespaced() ? Metadata.Namespace ?? "default" : "", Metadata.Name ?? "");

    /// <summary>The object itself, for readers of wire formats: without a name it could never be removed again.</summary>
    /// <param name="kind">The kind that was to be read.</param>
    /// <param name="value">What was read; null when the document is null.</param>
    /// <exception cref="KubernetesObjectException">There is no object, or it has no name.</exception>
    public static KubernetesObject RequireName(ObjectKind kind, KubernetesObject? value)
    {
        if (value is null) throw new KubernetesObjectException(kind.ToName(), "", "", "the document is null");
        if (string.IsNullOrEmpty(value.Metadata.Name)) throw new KubernetesObjectException(kind.ToName(), "", "metadata.name", "missing");
        return value;
    }
}

/// <summary><c>ObjectMeta</c> of the API.</summary>
public sealed record ObjectMeta
{
    /// <summary><c>metadata.name</c>.</summary>
    public string? Name { get; init; }

    /// <summary><c>metadata.namespace</c>; when missing, namespaced kinds are in <c>default</c>.</summary>
    public string? Namespace { get; init; }

    /// <summary><c>metadata.uid</c>.</summary>
    public string? Uid { get; init; }

    /// <summary><c>metadata.resourceVersion</c>: opaque.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary><c>metadata.creationTimestamp</c>.</summary>
    public DateTimeOffset? CreationTimestamp { get; init; }

    /// <summary><c>metadata.deletionTimestamp</c>: set while the object is being deleted.</summary>
    public DateTimeOffset? DeletionTimestamp { get; init; }

    /// <summary><c>metadata.labels</c>.</summary>
    public Dictionary<string, string?>? Labels { get; init; }

    /// <summary><c>metadata.annotations</c>; only those in <see cref="WellKnownNames"/> are ever looked at.</summary>
    public Dictionary<string, string?>? Annotations { get; init; }

    /// <summary>Whether the label is present, with any value.</summary>
    public bool HasLabel(string name) => Labels?.ContainsKey(name) == true;

    /// <summary>The value of a label, or null.</summary>
    public string? Label(string name) => Labels?.GetValueOrDefault(name);
}

/// <summary>Labels, annotations and taints with a meaning to a service proxy.</summary>
public static class WellKnownNames
{
    /// <summary>A Service with this label belongs to another proxy.</summary>
    public const string ServiceProxyNameLabel = "service.kubernetes.io/service-proxy-name";

    /// <summary>An EndpointSlice with this label belongs to a headless Service.</summary>
    public const string HeadlessLabel = "service.kubernetes.io/headless";

    /// <summary>The name of the Service that an EndpointSlice belongs to.</summary>
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    /// <summary>The zone of a Node.</summary>
    public const string ZoneLabel = "topology.kubernetes.io/zone";

    /// <summary>When the change happened that an EndpointSlice reflects (RFC 3339).</summary>
    public const string LastChangeTriggerTimeAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";

    /// <summary>
    /// The scheduler of a Service in ipvs mode, in place of the configured one: a name of a kernel scheduler such as <c>lc</c> or
    /// <c>mh</c>. Our own; upstream has none.
    /// </summary>
    public const string SchedulerAnnotation = "kube-proxy/ipvs-scheduler";

    /// <summary>The taint of a Node that the cluster autoscaler is about to remove.</summary>
    public const string ToBeDeletedTaint = "ToBeDeletedByClusterAutoscaler";
}

/// <summary>Lists as they should have been: neither null nor with null elements.</summary>
internal static class ListQuirks
{
    public static IReadOnlyList<T> OrEmpty<T>(this IReadOnlyList<T>? list) where T : class
    {
        if (list is null) return [];
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is null) return [.. list.Where(item => item is not null)];
        }

        return list;
    }
}
