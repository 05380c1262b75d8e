using System.Text.RegularExpressions;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The table of the nftables mode as nft lists it, made comparable.</summary>
internal static partial class ProxyTable
{
    /// <summary>
    /// The lines of the table in an order of their own. Which slot an endpoint has depends on the history of its list and is left out, as
    /// are clients that session affinity remembers, and the numbers that service ports with session affinity and their endpoints have.
    /// </summary>
    public static string Normalise(NetworkNamespace node, string family = "ip")
    {
        var lines = node.Exec("nft", "list", "table", family, "kube-proxy").Split('\n').Select(line => line.Trim().TrimEnd(',').Replace("elements = { ", "", StringComparison.Ordinal).Replace(" }", "", StringComparison.Ordinal));
        return string.Join('\n', lines
            .SelectMany(line => line.Split(", ")) // Short elements share a line.
            .Where(line => !line.Contains("expires", StringComparison.Ordinal))
            .Select(line => line.Contains(" . 8080", StringComparison.Ordinal) ? Slotless(line) : line)
            .Select(line => Number().Replace(line, "#"))
            .Order(StringComparer.Ordinal));
    }

    private static string Slotless(string element)
    {
        var parts = element.Split(" : ");
        // The endpoints of session affinity have a number and no slot.
        return parts[0].LastIndexOf(" . ", StringComparison.Ordinal) is >= 0 and var slot ? parts[0][..slot] + " : " + parts[1] : "# : " + parts[1];
    }

    [GeneratedRegex(@"\b0\.\d+\.\d+\.\d+\b|(?<![0-9a-f:])::[0-9a-f]{1,6}\b")]
    private static partial Regex Number();
}
