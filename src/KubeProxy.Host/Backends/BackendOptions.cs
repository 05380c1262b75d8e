using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Host.Configuration;
using KubeProxy.Ipvs;
using KubeProxy.Ipvs.Backend;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Userspace;

namespace KubeProxy.Host.Backends;

/// <summary>What the configuration means to each backend.</summary>
internal static class BackendOptions
{
    /// <summary>Of mode nftables.</summary>
    public static NftablesBackendOptions Nftables(BackendTask task) => new()
    {
        Family = task.Family,
        Masquerade = task.Masquerade,
        LocalhostNodePorts = FeatureGates.IsEnabled(task.Configuration.Source, FeatureGates.NftablesLocalhostNodePorts),
    };

    /// <summary>Of mode iptables.</summary>
    public static IptablesBackendOptions Iptables(BackendTask task) => new()
    {
        Family = task.Family,
        Masquerade = task.Masquerade,
        LocalhostNodePorts = task.Configuration.Source.Iptables.LocalhostNodePorts ?? true,
    };

    /// <summary>Of mode userspace.</summary>
    public static UserspaceBackendOptions Userspace(BackendTask task) => new() { Family = task.Family, Masquerade = task.Masquerade };

    /// <summary>Of mode ipvs.</summary>
    public static IpvsBalancerOptions Ipvs(BackendTask task)
    {
        var ipvs = task.Configuration.Source.Ipvs;
        return new IpvsBalancerOptions
        {
            Family = task.Family,
            Scheduler = ipvs.Scheduler.Length > 0 ? ipvs.Scheduler : SchedulerNames.RoundRobin,
            ExcludedBlocks = ExcludedBlocks(task.Configuration.Source),
            StrictArp = ipvs.StrictARP,
            Timeouts = new IpvsTimeouts(ipvs.TcpTimeout.TimeSpan, ipvs.TcpFinTimeout.TimeSpan, ipvs.UdpTimeout.TimeSpan),
            PollPeriod = ipvs.SyncPeriod.TimeSpan,
        };
    }

    /// <summary>Where virtual services are left alone in mode ipvs.</summary>
    public static ImmutableArray<Cidr> ExcludedBlocks(KubeProxyConfiguration configuration) => [.. configuration.Ipvs.ExcludeCIDRs.Select(Cidr.Parse)];
}
