using KubeProxy.Netfilter;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Ipvs.Proxy;

/// <summary>
/// The sysctls that services need. What cannot be set is a warning: in a container another may have to set them.
/// </summary>
internal sealed partial class IpvsSettings(KernelSettings settings, Version kernel, ILogger logger)
{
    private const string Ipvs = "proc/sys/net/ipv4/vs/";

    // "ipvs: allow connection reuse for unconfirmed conntrack": from here on a port that is used again costs no second.
    private static readonly Version ReuseWithoutDelay = new(5, 9);

    /// <summary>Writes what differs.</summary>
    public void Apply(bool strictArp)
    {
        Set(Ipvs + "conntrack", 1, "connections through services cannot be masqueraded");
        // 1: a client's port that comes back is balanced anew. 0: it goes where it went before, even if that has weight 0.
        Set(Ipvs + "conn_reuse_mode", kernel >= ReuseWithoutDelay ? 1 : 0, "connections from ports used before may be slow, or go to pods that are gone");
        Set(Ipvs + "expire_nodest_conn", 1, "connections to pods that are gone hang until they time out");
        Set(Ipvs + "expire_quiescent_template", 1, "clients with session affinity stay with a pod that takes no more connections");
        Set("proc/sys/net/ipv4/ip_forward", 1, "packets to pods are not forwarded");
        if (!strictArp) return;
        Set("proc/sys/net/ipv4/conf/all/arp_ignore", 1, "the node answers ARP for addresses of services");
        Set("proc/sys/net/ipv4/conf/all/arp_announce", 2, "the node announces addresses of services");
    }

    private void Set(string path, long value, string consequence)
    {
        var current = settings.ReadNumber(path);
        if (current == value) return;
        try
        {
            settings.Write(path, value);
            LogSet(logger, "/" + path, value, current);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogCannotSet(logger, "/" + path, value, current, e.Message.TrimEnd('.'), consequence);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Set {Path} to {Value} (was {Current})")]
    private static partial void LogSet(ILogger logger, string path, long value, long? current);

    [LoggerMessage(2, LogLevel.Warning, "Cannot set {Path} to {Value} (it is {Current}): {Reason}. Until that is done otherwise, {Consequence}")]
    private static partial void LogCannotSet(ILogger logger, string path, long value, long? current, string reason, string consequence);
}
