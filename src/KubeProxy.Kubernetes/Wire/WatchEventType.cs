using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Wire;

/// <summary><c>type</c> of a watch event.</summary>
internal enum WatchEventType
{
    Unknown,
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

/// <summary>The names of the types on the wire.</summary>
internal static class WatchEventTypes
{
    private static readonly (WatchEventType Type, string Name, byte[] Utf8)[] Known =
    [
        .. new[]
        {
            (WatchEventType.Added, "ADDED"),
            (WatchEventType.Modified, "MODIFIED"),
            (WatchEventType.Deleted, "DELETED"),
            (WatchEventType.Bookmark, "BOOKMARK"),
            (WatchEventType.Error, "ERROR"),
        }.Select(entry => (entry.Item1, entry.Item2, System.Text.Encoding.UTF8.GetBytes(entry.Item2))),
    ];

    public static WatchEventType Parse(ReadOnlySpan<byte> utf8)
    {
        foreach (var (type, _, name) in Known)
        {
            if (utf8.SequenceEqual(name)) return type;
        }

        return WatchEventType.Unknown;
    }

    public static string ToName(this WatchEventType type)
    {
        foreach (var (known, name, _) in Known)
        {
            if (known == type) return name;
        }

        return "UNKNOWN";
    }
}
