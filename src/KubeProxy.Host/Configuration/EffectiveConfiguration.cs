using KubeProxy.Core.Model;

namespace KubeProxy.Host.Configuration;

/// <summary>What of a configuration is in force in the mode that it selects.</summary>
public sealed record EffectiveConfiguration
{
    private EffectiveConfiguration(KubeProxyConfiguration source) => Source = source;

    /// <summary>The configuration, with defaults.</summary>
    public KubeProxyConfiguration Source { get; }

    /// <summary>The mode; see <see cref="ProxyMode"/>.</summary>
    public string Mode => Source.Mode;

    /// <summary>Whether no mode was given, so that <see cref="Mode"/> is the default.</summary>
    public bool IsModeImplied { get; init; }

    /// <summary>After a failure, a sync is tried again after this time at the latest.</summary>
    public required GoDuration SyncPeriod { get; init; }

    /// <summary>The least time between two syncs.</summary>
    public required GoDuration MinSyncPeriod { get; init; }

    /// <summary>Masquerade everything sent to cluster IPs.</summary>
    public required bool MasqueradeAll { get; init; }

    /// <summary>The bit of the packet mark that asks for masquerading: 0 to 31.</summary>
    public required int MasqueradeBit { get; init; }

    /// <summary>The parts of <c>clusterCIDR</c>, as written.</summary>
    public required IReadOnlyList<string> ClusterCidrs { get; init; }

    /// <summary>Takes the values of the selected mode's section.</summary>
    public static EffectiveConfiguration From(KubeProxyConfiguration source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var (iptables, nftables, ipvs) = (source.Iptables, source.Nftables, source.Ipvs);
        var isNftables = source.Mode == ProxyMode.Nftables;
        var (sync, minSync) = source.Mode switch
        {
            ProxyMode.Nftables => (nftables.SyncPeriod, nftables.MinSyncPeriod),
            ProxyMode.Ipvs => (ipvs.SyncPeriod, ipvs.MinSyncPeriod),
            _ => (iptables.SyncPeriod, iptables.MinSyncPeriod),
        };
        return new EffectiveConfiguration(source)
        {
            SyncPeriod = sync,
            MinSyncPeriod = minSync,
            MasqueradeAll = isNftables ? nftables.MasqueradeAll : iptables.MasqueradeAll,
            MasqueradeBit = (isNftables ? nftables.MasqueradeBit : iptables.MasqueradeBit) ?? 14,
            ClusterCidrs = source.ClusterCIDR.Length == 0 ? [] : source.ClusterCIDR.Split(','),
        };
    }

    /// <summary>The first of <see cref="ClusterCidrs"/> of a family; null when there is none.</summary>
    public Cidr? ClusterCidr(IpFamily family)
    {
        foreach (var text in ClusterCidrs)
            if (Cidr.TryParse(text, out var cidr) && cidr.Family == family) return cidr;
        return null;
    }
}
