namespace KubeProxy.Host.Node;

/// <summary>Whether the kernel does IPv6 in this network namespace.</summary>
internal static class Ipv6Support
{
    /// <summary>Looks it up.</summary>
    /// <param name="root">Where /proc is mounted below; "/" but for tests.</param>
    public static bool IsAvailable(string root = "/")
    {
        if (!File.Exists(Path.Combine(root, "proc/net/if_inet6"))) return false;
        try
        {
            return File.ReadAllText(Path.Combine(root, "proc/sys/net/ipv6/conf/all/disable_ipv6")).Trim() != "1";
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return true; // The switch cannot be read: the address list says that the protocol is there.
        }
    }
}
