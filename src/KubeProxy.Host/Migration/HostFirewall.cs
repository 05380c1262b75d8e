using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Host.Migration;

/// <summary>
/// Reads out of the standard tables what is the host's own, and not a kube-proxy's. Only rules in these tables count: an accept in
/// one of their chains ends that chain for the packet, and no other table.
/// </summary>
internal static class HostFirewall
{
    private const string ProxyPrefix = "KUBE-";

    // Where a kube-proxy leads packets to from standard chains. Whoever else leads to one of its chains leads to another one, such
    // as KUBE-MARK-MASQ.
    private static readonly ImmutableHashSet<string> Entrances =
    [
        "KUBE-SERVICES", "KUBE-POSTROUTING", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-FORWARD", "KUBE-PROXY-FIREWALL", "KUBE-FIREWALL",
        "KUBE-NODE-PORT", "KUBE-SOURCE-RANGES-FIREWALL", "KUBE-IPVS-FILTER", "KUBE-IPVS-OUT-FILTER",
    ];

    /// <summary>What the host refuses in a standard chain of table filter; null when the chain lets everything through.</summary>
    public static HostChain? Refusals(IpFamily family, string chain, IReadOnlyDictionary<string, IptablesChainContent> filter)
    {
        if (!filter.TryGetValue(chain, out var content)) return null;
        var drops = content.Chain.Base is { DropByDefault: true };
        var refusals = 0;
        var (seen, next) = (new HashSet<string> { chain }, new Queue<string>([chain]));
        while (next.TryDequeue(out var name))
        {
            foreach (var (rule, _) in filter[name].Rules)
            {
                if (IsRefusal(rule.Target)) refusals++;
                else if (rule.JumpChain is { } to && !IsOfProxy(to) && filter.ContainsKey(to) && seen.Add(to)) next.Enqueue(to);
            }
        }

        return drops || refusals > 0 ? new HostChain(family, chain, drops, refusals) : null;
    }

    /// <summary>Rules that are not a kube-proxy's and lead to its chains, as text.</summary>
    public static IEnumerable<string> ForeignJumps(IpFamily family, IptablesTable table, IReadOnlyDictionary<string, IptablesChainContent> chains)
    {
        var tool = family == IpFamily.IPv4 ? "iptables" : "ip6tables";
        foreach (var (name, content) in chains)
        {
            if (IsOfProxy(name)) continue;
            foreach (var (rule, _) in content.Rules)
            {
                if (rule.JumpChain is not { } to || !IsOfProxy(to)) continue;
                if (content.Chain.Base is null || !Entrances.Contains(to)) yield return $"{tool} -t {table.NftName()} {IptablesText.Line(name, rule, family)}";
            }
        }
    }

    private static bool IsOfProxy(string chain) => chain.StartsWith(ProxyPrefix, StringComparison.Ordinal);

    private static bool IsRefusal(IptablesTarget? target) => target is RejectTarget or UnknownTarget { Name: "REJECT" } or VerdictTarget { Verdict.Kind: NftVerdictKind.Drop };
}
