using KubeProxy.Core.Model;
using KubeProxy.Ipvs;
using KubeProxy.Ipvs.Backend;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Rtnetlink;

namespace KubeProxy.Host.Backends;

/// <summary>
/// Removes the virtual services and the interface of the ipvs backend, ours or upstream's, and the chains that only upstream's has. A kernel
/// without IPVS has none of that, and is not asked to load it.
/// </summary>
/// <param name="ipvs">Opens the connection to the kernel's IPVS.</param>
/// <param name="routes">Opens the connection to its interfaces.</param>
/// <param name="nftables">Opens the connection to its rules.</param>
/// <param name="settings">The sysctls.</param>
/// <param name="sysctls">Those that the mode sets.</param>
/// <param name="excluded">Where virtual services are somebody else's.</param>
internal sealed class IpvsCleaner(
    Func<IIpvs> ipvs, Func<IRouteClient> routes, Func<INftables> nftables, KernelSettings settings, IReadOnlyList<ModeSysctl> sysctls,
    IReadOnlyCollection<Cidr> excluded) : IRuleCleaner
{
    public string Subject => "ipvs";

    public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
    {
        using var services = ipvs();
        using var links = routes();
        await using var rules = nftables();
        var removed = new List<string>();
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            var tool = family == IpFamily.IPv4 ? "iptables" : "ip6tables";
            removed.AddRange((await IptablesCleanup.RunAsync(rules, family, IptablesCleanup.IsOfIpvsMode, cancellationToken)).Select(chain => $"{tool} chain {chain}"));
        }

        // Upstream does not note what they were. They are put back with those that are noted, and that can be tried again.
        if (await IpvsCleanup.IsNeededAsync(routes, cancellationToken)) await new SysctlRecord(rules, settings).AssumeAsync(sysctls, cancellationToken);
        removed.AddRange(await IpvsCleanup.RunAsync(services, links, excluded, cancellationToken));
        return removed;
    }
}
