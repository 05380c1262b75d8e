using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Ruleset;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>Packets to loopback addresses that are routed elsewhere, which node ports on them need.</summary>
public static class LocalnetRouting
{
    private const string RouteLocalnet = "proc/sys/net/ipv4/conf/all/route_localnet";

    /// <summary>The sysctl that allows it. With it, other hosts of a link reach loopback addresses too, unless rules keep them from that.</summary>
    public static ModeSysctl Sysctl { get; } = new(RouteLocalnet, 1, 0);

    /// <summary>Allows it in the network namespace of the calling thread, unless it is.</summary>
    /// <exception cref="ProxyBackendException">That is not allowed.</exception>
    public static void Allow(KernelSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.ReadNumber(RouteLocalnet) == 1) return;
        try
        {
            settings.Write(RouteLocalnet, 1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProxyBackendException(
                $"The sysctl net.ipv4.conf.all.route_localnet cannot be set to 1 ({e.Message}), which node ports on 127.0.0.1 need. "
                + "Allow it, or switch them off (iptables.localhostNodePorts: false).",
                e);
        }
    }
}
