using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Ruleset;

namespace KubeProxy.Ipvs.Backend;

/// <summary>The sysctls that services need, of the network namespace of the calling thread.</summary>
public static class IpvsSysctls
{
    private const string Ipvs = "proc/sys/net/ipv4/vs/";
    private const string IpForward = "proc/sys/net/ipv4/ip_forward";

    // "ipvs: allow connection reuse for unconfirmed conntrack": from here on a port that is used again costs no second.
    private static readonly Version ReuseWithoutDelay = new(5, 9);

    /// <summary>
    /// What <see cref="Apply"/> sets and another mode puts back. Not <c>ip_forward</c>: who needs it finds it on, and says nothing.
    /// </summary>
    /// <param name="kernel">The version of the kernel.</param>
    /// <param name="strictArp">Whether the node answers ARP only on the interface that has the address.</param>
    public static IReadOnlyList<ModeSysctl> Values(Version kernel, bool strictArp) => [.. All(kernel, strictArp).Select(each => each.Sysctl).Where(sysctl => sysctl.Path != IpForward)];

    /// <summary>Writes what differs.</summary>
    /// <param name="settings">Writes them.</param>
    /// <param name="kernel">The version of the kernel, by which one of them is chosen.</param>
    /// <param name="strictArp">Whether the node answers ARP only on the interface that has the address.</param>
    public static void Apply(KernelSettingsWriter settings, Version kernel, bool strictArp)
    {
        ArgumentNullException.ThrowIfNull(settings);
        foreach (var (sysctl, consequence) in All(kernel, strictArp)) settings.Set(sysctl.Path, sysctl.Value, $"Until that is done otherwise, {consequence}");
    }

    private static IEnumerable<(ModeSysctl Sysctl, string Consequence)> All(Version kernel, bool strictArp)
    {
        yield return (new(Ipvs + "conntrack", 1, 0), "connections through services cannot be masqueraded");
        // 1: a client's port that comes back is balanced anew. 0: it goes where it went before, even if that has weight 0.
        yield return (new(Ipvs + "conn_reuse_mode", kernel >= ReuseWithoutDelay ? 1 : 0, 1), "connections from ports used before may be slow, or go to pods that are gone");
        yield return (new(Ipvs + "expire_nodest_conn", 1, 0), "connections to pods that are gone hang until they time out");
        yield return (new(Ipvs + "expire_quiescent_template", 1, 0), "clients with session affinity stay with a pod that takes no more connections");
        yield return (new(IpForward, 1, 0), "packets to pods are not forwarded");
        if (!strictArp) yield break;
        yield return (new("proc/sys/net/ipv4/conf/all/arp_ignore", 1, 0), "the node answers ARP for addresses of services");
        yield return (new("proc/sys/net/ipv4/conf/all/arp_announce", 2, 0), "the node announces addresses of services");
    }
}
