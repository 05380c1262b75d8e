using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;

namespace KubeProxy.Kubernetes;

/// <summary>Where the objects of a kind are, and which of them a proxy wants.</summary>
internal sealed record ApiResource
{
    /// <summary>The kind.</summary>
    public required ObjectKind Kind { get; init; }

    /// <summary>The name of the resource, as in paths and in RBAC rules.</summary>
    public required string Resource { get; init; }

    /// <summary>The path of the group and version.</summary>
    public required string Group { get; init; }

    /// <summary>Which labels objects must have; empty for any.</summary>
    public string LabelSelector { get; init; } = "";

    /// <summary>Which fields objects must have; empty for any.</summary>
    public string FieldSelector { get; init; } = "";

    /// <summary>Whether there are servers that do not know the resource.</summary>
    public bool IsOptional { get; init; }

    /// <summary>What a proxy watches. The selectors are those of upstream.</summary>
    /// <param name="nodeName">The proxy's own node, the only one that is watched.</param>
    public static IReadOnlyList<ApiResource> Watched(string? nodeName) =>
    [
        Of(ObjectKind.Service) with
        {
            LabelSelector = "!" + WellKnownNames.ServiceProxyNameLabel,
            FieldSelector = "spec.clusterIP!=None",
        },
        Of(ObjectKind.EndpointSlice) with { LabelSelector = "!" + WellKnownNames.HeadlessLabel },
        Of(ObjectKind.Node) with { FieldSelector = nodeName is null ? "" : "metadata.name=" + nodeName },
        Of(ObjectKind.ServiceCIDR),
    ];

    public static ApiResource Of(ObjectKind kind) => kind switch
    {
        ObjectKind.Service => new() { Kind = kind, Group = "/api/v1", Resource = "services" },
        ObjectKind.EndpointSlice => new() { Kind = kind, Group = "/apis/discovery.k8s.io/v1", Resource = "endpointslices" },
        ObjectKind.Node => new() { Kind = kind, Group = "/api/v1", Resource = "nodes" },
        _ => new() { Kind = kind, Group = "/apis/networking.k8s.io/v1", Resource = "servicecidrs", IsOptional = true },
    };

    public string PathOf(NamespacedName name) => Kind.IsNamespaced()
        ? $"{Group}/namespaces/{Uri.EscapeDataString(name.Namespace)}/{Resource}/{Uri.EscapeDataString(name.Name)}"
        : $"{Group}/{Resource}/{Uri.EscapeDataString(name.Name)}";

    /// <summary>One page of a list.</summary>
    /// <param name="pageSize">The most objects in it; 0 for all. A server that answers from its cache may send more.</param>
    /// <param name="resourceVersion">Not older than this; 0 for anything, null for the newest.</param>
    /// <param name="page">The token of a further page, which has its own version.</param>
    public string ListPath(int pageSize, string? resourceVersion, string? page)
    {
        var query = Selectors();
        if (pageSize > 0) query.Add($"limit={pageSize}");
        if (page is not null) query.Add("continue=" + Uri.EscapeDataString(page));
        else if (resourceVersion is not null) query.Add("resourceVersion=" + Uri.EscapeDataString(resourceVersion));
        return Path(query);
    }

    /// <summary>
    /// A list of at most one object, which tells the server's present version. Without selectors, because a server may have to go through all
    /// objects to find one that fits; but the name of a Node is looked up, and may be all that is permitted.
    /// </summary>
    public string RevisionPath => Path(FieldSelector.StartsWith("metadata.name=", StringComparison.Ordinal)
        ? ["fieldSelector=" + Uri.EscapeDataString(FieldSelector), "limit=1"]
        : ["limit=1"]);

    /// <summary>Changes after a version.</summary>
    public string WatchPath(string resourceVersion, TimeSpan timeout)
    {
        var query = WatchQuery(timeout);
        query.Add("resourceVersion=" + Uri.EscapeDataString(resourceVersion));
        return Path(query);
    }

    /// <summary>All objects as events, none older than the newest when the request arrives, and changes after that.</summary>
    /// <param name="timeout">When the server is to end it.</param>
    public string StreamPath(TimeSpan timeout)
    {
        var query = WatchQuery(timeout);
        query.Add("sendInitialEvents=true");
        query.Add("resourceVersionMatch=NotOlderThan");
        return Path(query);
    }

    private List<string> WatchQuery(TimeSpan timeout)
    {
        var query = Selectors();
        query.Add("watch=true");
        query.Add("allowWatchBookmarks=true");
        query.Add($"timeoutSeconds={(int)timeout.TotalSeconds}");
        return query;
    }

    private List<string> Selectors()
    {
        var query = new List<string>();
        if (LabelSelector.Length > 0) query.Add("labelSelector=" + Uri.EscapeDataString(LabelSelector));
        if (FieldSelector.Length > 0) query.Add("fieldSelector=" + Uri.EscapeDataString(FieldSelector));
        return query;
    }

    private string Path(List<string> query) => $"{Group}/{Resource}?{string.Join('&', query)}";
}
