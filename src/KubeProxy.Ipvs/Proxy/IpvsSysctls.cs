using KubeProxy.Netfilter;

namespace KubeProxy.Ipvs.Proxy;

/// <summary>The sysctls that services need, of the network namespace of the calling thread.</summary>
public static class IpvsSysctls
{
    private const string Ipvs = "proc/sys/net/ipv4/vs/";

    // "ipvs: allow connection reuse for unconfirmed conntrack": from here on a port that is used again costs no second.
    private static readonly Version ReuseWithoutDelay = new(5, 9);

    /// <summary>Writes what differs.</summary>
    /// <param name="settings">Writes them.</param>
    /// <param name="kernel">The version of the kernel, by which one of them is chosen.</param>
    /// <param name="strictArp">Whether the node answers ARP only on the interface that has the address.</param>
    public static void Apply(KernelSettingsWriter settings, Version kernel, bool strictArp)
    {
        ArgumentNullException.ThrowIfNull(settings);
        Set(Ipvs + "conntrack", 1, "connections through services cannot be masqueraded");
        // 1: a client's port that comes back is balanced anew. 0: it goes where it went before, even if that has weight 0.
        Set(Ipvs + "conn_reuse_mode", kernel >= ReuseWithoutDelay ? 1 : 0, "connections from ports used before may be slow, or go to pods that are gone");
        Set(Ipvs + "expire_nodest_conn", 1, "connections to pods that are gone hang until they time out");
        Set(Ipvs + "expire_quiescent_template", 1, "clients with session affinity stay with a pod that takes no more connections");
        Set("proc/sys/net/ipv4/ip_forward", 1, "packets to pods are not forwarded");
        if (!strictArp) return;
        Set("proc/sys/net/ipv4/conf/all/arp_ignore", 1, "the node answers ARP for addresses of services");
        Set("proc/sys/net/ipv4/conf/all/arp_announce", 2, "the node announces addresses of services");

        void Set(string path, long value, string consequence) => settings.Set(path, value, $"Until that is done otherwise, {consequence}");
    }
}
