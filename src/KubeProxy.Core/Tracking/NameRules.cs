using System.Text;

namespace KubeProxy.Core.Tracking;

/// <summary>
/// Names as the API has them, as far as it matters: backends put them into the names and comments of kernel objects, which have a longest length
/// and end at a zero. Only a manifest can have others.
/// </summary>
internal static class NameRules
{
    /// <summary>The longest label of DNS (RFC 1035), which names of Services, namespaces and ports are, in bytes.</summary>
    private const int LongestLabel = 63;

    /// <summary>What is wrong with the name of a Service, its namespace or a port; null for nothing.</summary>
    public static string? Problem(string? name) =>
        name is null ? null
        : Encoding.UTF8.GetByteCount(name) > LongestLabel ? $"has more than {LongestLabel} bytes"
        : name.Any(char.IsControl) ? "has control characters"
        : null;
}
