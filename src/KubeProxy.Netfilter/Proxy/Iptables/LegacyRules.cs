using System.Net.Sockets;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Legacy;

namespace KubeProxy.Netfilter.Proxy.Iptables;

/// <summary>
/// What a kube-proxy with iptables-legacy left. Packets pass its rules as well as ours, and would be translated by those that come
/// first: services would work by rules that nobody keeps up to date.
/// </summary>
internal static class LegacyRules
{
    private const int Shown = 5;

    /// <summary>The chains there are, in the network namespace of the calling thread.</summary>
    /// <exception cref="ProxyBackendException">The kernel does not let this process look.</exception>
    public static IReadOnlyList<LegacyChain> Read(IpFamily family)
    {
        try
        {
            return LegacyTables.ReadChains(family);
        }
        catch (SocketException e)
        {
            throw new ProxyBackendException($"iptables ({family}): the tables of iptables-legacy cannot be read ({e.Message}). Is CAP_NET_ADMIN missing?", e);
        }
    }

    /// <summary>Does nothing when there is nothing of a kube-proxy.</summary>
    /// <exception cref="ProxyBackendException">There is something; the message says what to do.</exception>
    public static void Refuse(IpFamily family, IReadOnlyList<LegacyChain> chains)
    {
        LegacyChain[] found = [.. chains.Where(IsOfProxy)];
        if (found.Length == 0) return;
        var tool = family == IpFamily.IPv4 ? "iptables-legacy" : "ip6tables-legacy";
        var names = string.Join(", ", found.Take(Shown).Select(chain => $"{chain.Table} {chain.Name}"));
        var more = found.Length > Shown ? $" and {found.Length - Shown} more" : "";
        throw new ProxyBackendException(
            $"iptables ({family}): the kernel has chains of a kube-proxy in the tables of {tool} ({names}{more}). Packets would pass them as well as the "
            + $"rules of this proxy, which writes nf_tables (as iptables-nft does) and does not touch them. Stop that kube-proxy, remove its rules with its "
            + $"own --cleanup or with '{tool}-save | grep -v KUBE- | {tool}-restore' (that takes kubelet's chains too, which kubelet makes again), "
            + "or restart the node; then start this proxy again.");
    }

    /// <summary>Kubelet's chains may stay.</summary>
    private static bool IsOfProxy(LegacyChain chain) => IptablesTables.All.Any(table =>
        table.NftName() == chain.Table && IptablesCleanup.IsOfAnyMode(new IptablesChain(table, chain.Name)));
}
