using System.Globalization;
using KubeProxy.Core.Sync;

namespace KubeProxy.Netfilter.Proxy.Iptables;

/// <summary>What the iptables backend reads and writes below <c>/proc</c>.</summary>
internal sealed class NodeSettings(string procDirectory)
{
    /// <summary>Whether connection tracking takes no TCP packet for invalid.</summary>
    public bool IsTcpLiberal
    {
        get
        {
            var text = Read("sys/net/netfilter/nf_conntrack_tcp_be_liberal");
            return text is not null && int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) && value != 0;
        }
    }

    /// <summary>Lets packets to loopback addresses be routed elsewhere, which node ports on them need.</summary>
    /// <exception cref="ProxyBackendException">That is not allowed.</exception>
    public void AllowLocalnetRouting()
    {
        const string Name = "sys/net/ipv4/conf/all/route_localnet";
        if (Read(Name) == "1") return;
        try
        {
            File.WriteAllText(Path.Combine(procDirectory, Name), "1");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProxyBackendException(
                $"The sysctl net.ipv4.conf.all.route_localnet cannot be set to 1 ({e.Message}), which node ports on 127.0.0.1 need. "
                + "Allow it, or switch them off (iptables.localhostNodePorts: false).",
                e);
        }
    }

    private string? Read(string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(procDirectory, name)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // The kernel does not have it.
        }
    }
}
