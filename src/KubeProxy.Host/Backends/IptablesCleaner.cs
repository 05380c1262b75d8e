using KubeProxy.Core.Model;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy;

namespace KubeProxy.Host.Backends;

/// <summary>Removes the chains and rules of the iptables backend, ours or upstream's: both have the same names.</summary>
/// <param name="connect">Opens the connection to the kernel.</param>
/// <param name="settings">The sysctls.</param>
/// <param name="isRemovable">Which chains.</param>
internal sealed class IptablesCleaner(Func<INftables> connect, KernelSettings settings, Func<IptablesChain, bool> isRemovable) : IRuleCleaner
{
    public string Subject => "iptables";

    public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
    {
        await using var nftables = connect();
        var removed = new List<string>();
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            var tool = family == IpFamily.IPv4 ? "iptables" : "ip6tables";
            removed.AddRange((await IptablesCleanup.RunAsync(nftables, family, isRemovable, cancellationToken)).Select(chain => $"{tool} chain {chain}"));
        }

        // Upstream does not note what it was; it is 0 unless somebody changes it, and with 1 other hosts of the link reach loopback addresses.
        if (removed.Count == 0 || await new SysctlRecord(nftables, settings).HasAsync(LocalnetRouting.RouteLocalnet, cancellationToken)) return removed;
        if (settings.ReadNumber(LocalnetRouting.RouteLocalnet) != 1) return removed;
        settings.Write(LocalnetRouting.RouteLocalnet, 0);
        removed.Add("sysctl net.ipv4.conf.all.route_localnet=1");
        return removed;
    }
}
