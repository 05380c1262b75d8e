using k8s.Models;
using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Client;

/// <summary>What all objects have, and the kinds of values that are in them.</summary>
internal static class MetadataConversions
{
    public static ObjectMeta ToCore(this V1ObjectMeta metadata) => new()
    {
        Name = metadata.Name,
        Namespace = metadata.NamespaceProperty,
        Uid = metadata.Uid,
        ResourceVersion = metadata.ResourceVersion,
        CreationTimestamp = metadata.CreationTimestamp.ToCore(),
        DeletionTimestamp = metadata.DeletionTimestamp.ToCore(),
        Labels = metadata.Labels.ToCore(),
        Annotations = metadata.Annotations.ToCore(),
    };

    public static IReadOnlyList<string> ToCore(this IList<string>? list) => list.ToCore(text => text);

    public static IReadOnlyList<TOut> ToCore<TIn, TOut>(this IList<TIn>? list, Func<TIn, TOut> convert) where TIn : class =>
        list is null ? [] : [.. list.Where(item => item is not null).Select(convert)];

    private static Dictionary<string, string?>? ToCore(this IDictionary<string, string>? entries)
    {
        if (entries is null) return null;
        var copy = new Dictionary<string, string?>(entries.Count, StringComparer.Ordinal);
        foreach (var (name, value) in entries) copy[name] = value;
        return copy;
    }

    /// <summary>The API has UTC. A time that does not say what it is, as one that was made by hand, is taken for that.</summary>
    private static DateTimeOffset? ToCore(this DateTime? time) => time switch
    {
        null => null,
        { Kind: DateTimeKind.Local } local => new DateTimeOffset(local.ToUniversalTime()),
        { } utc => new DateTimeOffset(utc.Ticks, TimeSpan.Zero),
    };
}
