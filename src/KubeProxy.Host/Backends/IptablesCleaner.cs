using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy;

namespace KubeProxy.Host.Backends;

/// <summary>Removes the chains and rules of the iptables backend, ours or upstream's: both have the same names.</summary>
/// <param name="connect">Opens the connection to the kernel.</param>
internal sealed class IptablesCleaner(Func<INftables> connect) : IRuleCleaner
{
    public string Subject => "iptables";

    public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
    {
        await using var nftables = connect();
        var removed = new List<string>();
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            var tool = family == IpFamily.IPv4 ? "iptables" : "ip6tables";
            removed.AddRange((await IptablesCleanup.RunAsync(nftables, family, cancellationToken)).Select(chain => $"{tool} chain {chain}"));
        }

        return removed;
    }
}
