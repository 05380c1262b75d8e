namespace KubeProxy.Core.Kubernetes;

/// <summary>The kinds of Kubernetes objects that the proxy uses. The names are those of the API.</summary>
public enum ObjectKind
{
    /// <summary><c>Service</c> of group <c>v1</c>.</summary>
    Service,

    /// <summary><c>EndpointSlice</c> of group <c>discovery.k8s.io</c>.</summary>
    EndpointSlice,

    /// <summary><c>Node</c> of group <c>v1</c>; only the proxy's own node matters.</summary>
    Node,

    /// <summary><c>ServiceCIDR</c> of group <c>networking.k8s.io</c>.</summary>
    ServiceCIDR,
}

/// <summary>Facts about each <see cref="ObjectKind"/>.</summary>
public static class ObjectKinds
{
    /// <summary>All kinds.</summary>
    public static IReadOnlyList<ObjectKind> All { get; } =
        [ObjectKind.Service, ObjectKind.EndpointSlice, ObjectKind.Node, ObjectKind.ServiceCIDR];

    /// <summary>The name of the kind, as in <c>kind:</c>.</summary>
    public static string ToName(this ObjectKind kind) => kind switch
    {
        ObjectKind.Service => "Service",
        ObjectKind.EndpointSlice => "EndpointSlice",
        ObjectKind.Node => "Node",
        _ => "ServiceCIDR",
    };

    /// <summary>Whether objects of the kind live in a namespace.</summary>
    public static bool IsNamespaced(this ObjectKind kind) => kind is ObjectKind.Service or ObjectKind.EndpointSlice;

    /// <summary>
    /// Finds the kind that a document's <c>kind</c> and <c>apiVersion</c> name. The version is not compared, the group is:
    /// other groups have kinds of the same names. A missing <paramref name="apiVersion"/> matches any group.
    /// </summary>
    public static bool TryParse(string? kind, string? apiVersion, out ObjectKind result)
    {
        foreach (var candidate in All)
        {
            result = candidate;
            var sameGroup = string.IsNullOrEmpty(apiVersion) || GroupOf(apiVersion) == candidate.ToGroup();
            if (sameGroup && candidate.ToName() == kind) return true;
        }

        result = default;
        return false;
    }

    /// <summary>The kind of that name, whatever its group; null when there is none.</summary>
    public static ObjectKind? Namesake(string kind)
    {
        foreach (var candidate in All)
            if (candidate.ToName() == kind) return candidate;
        return null;
    }

    /// <summary>The group and version that the proxy reads, as in <c>apiVersion:</c>.</summary>
    public static string ToApiVersion(this ObjectKind kind) => kind.ToGroup() is { Length: > 0 } group ? group + "/v1" : "v1";

    private static string ToGroup(this ObjectKind kind) => kind switch
    {
        ObjectKind.EndpointSlice => "discovery.k8s.io",
        ObjectKind.ServiceCIDR => "networking.k8s.io",
        _ => "",
    };

    private static string GroupOf(string apiVersion)
    {
        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? "" : apiVersion[..slash];
    }
}
