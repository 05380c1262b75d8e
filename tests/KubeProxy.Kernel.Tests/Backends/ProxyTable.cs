namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The table of the nftables mode as nft lists it, made comparable.</summary>
internal static class ProxyTable
{
    /// <summary>
    /// The lines of the table in an order of their own. Which slot an endpoint has depends on the history of its list and is left out, as
    /// are clients that session affinity remembers.
    /// </summary>
    public static string Normalise(NetworkNamespace node, string family = "ip")
    {
        var lines = node.Exec("nft", "list", "table", family, "kube-proxy").Split('\n').Select(line => line.Trim().TrimEnd(',').Replace("elements = { ", "", StringComparison.Ordinal).Replace(" }", "", StringComparison.Ordinal));
        return string.Join('\n', lines
            .Where(line => !line.Contains("expires", StringComparison.Ordinal))
            .Select(line => line.Contains(" . 8080", StringComparison.Ordinal) ? Slotless(line) : line)
            .Order(StringComparer.Ordinal));
    }

    private static string Slotless(string element)
    {
        var parts = element.Split(" : ");
        return parts[0][..parts[0].LastIndexOf(" . ", StringComparison.Ordinal)] + " : " + parts[1];
    }
}
