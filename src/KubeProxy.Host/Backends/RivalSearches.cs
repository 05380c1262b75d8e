using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using KubeProxy.Host.Configuration;
using KubeProxy.Ipvs.Backend;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Rivals;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Iptables.Legacy;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Rtnetlink;

namespace KubeProxy.Host.Backends;

/// <summary>Where to look for rivals in each mode: everywhere but among the mode's own rules.</summary>
internal static class RivalSearches
{
    /// <summary>Makes the searches.</summary>
    /// <param name="mode">The mode configured.</param>
    /// <param name="families">The families that are programmed.</param>
    /// <param name="connection">Tells of changes by others.</param>
    /// <param name="changed">Is called when a rival may have come or gone; returns at once.</param>
    public static IReadOnlyList<IRivalSearch> Create(string mode, IReadOnlyList<IpFamily> families, Func<NftablesConnection> connection, Action changed)
    {
        connection().ForeignChange += change =>
        {
            if (NftablesRivals.Concerns(change)) changed();
        };
        List<IRivalSearch> searches =
        [
            .. families.Select(Legacy),
            new NftablesRivals(families, mode == ProxyMode.Iptables, () => NftablesClient.Open()),
        ];
        if (mode != ProxyMode.Ipvs) searches.Add(new IpvsRivals(() => RouteClient.Open()));
        return searches;
    }

    /// <summary>A search in the tables of iptables-legacy.</summary>
    public static LegacyRivals Legacy(IpFamily family) => new(family, () => LegacyTables.ReadChains(family));
}
