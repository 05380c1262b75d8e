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
        var hadIptablesMode = false;
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            var tool = family == IpFamily.IPv4 ? "iptables" : "ip6tables";
            var chains = await IptablesCleanup.RunAsync(nftables, family, isRemovable, cancellationToken);
            hadIptablesMode |= chains.Any(IptablesCleanup.IsOfIptablesModeOnly);
            removed.AddRange(chains.Select(chain => $"{tool} chain {chain}"));
        }

        // Upstream does not note what the sysctl was.
        if (hadIptablesMode) removed.AddRange(await new SysctlRecord(nftables, settings).ResetAsync([LocalnetRouting.Sysctl], cancellationToken));
        return removed;
    }
}
