using KubeProxy.Core.Model;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;

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
            // Upstream does not note what the sysctl was. It is put back with those that are noted, and that can be tried again.
            if (await IptablesCleanup.HasIptablesModeAsync(nftables, family, cancellationToken))
                await new SysctlRecord(nftables, settings).AssumeAsync([LocalnetRouting.Sysctl], cancellationToken);
            removed.AddRange((await IptablesCleanup.RunAsync(nftables, family, isRemovable, cancellationToken)).Select(chain => $"{tool} chain {chain}"));
        }

        return removed;
    }
}
