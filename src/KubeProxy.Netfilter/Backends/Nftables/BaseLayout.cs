using System.Collections.Immutable;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>
/// The chains and rules that are there without any service. Hooks, priorities and the chains' purposes are upstream's; see
/// <c>docs/nftables.md</c> for the way of a packet.
/// </summary>
internal sealed class BaseLayout(RuleParts parts, MasqueradePolicy policy, LocalhostRejects? localhost = null)
{
    public const string ExternalLocal = "external-local";
    public const string ExternalLocalNodePorts = "external-local-nodeports";
    public const string NodePorts = "nodeports";

    private readonly PolicyChains _policies = new(parts, localhost);

    /// <summary>The table. Upstream's comment, since the table is the same one.</summary>
    public NftTable Table { get; } = new(parts.Table) { Comment = "rules for kube-proxy" };

    /// <summary>The chains with their rules, those with hooks last.</summary>
    public IEnumerable<ChainDefinition> Chains(NodePlan node) =>
    [
        .. _policies.Define(node),
        parts.Chain(ExternalLocal, [.. ExternalLocalRules(EndpointLists.Ips, EndpointLists.LocalIps)]),
        parts.Chain(ExternalLocalNodePorts, [.. ExternalLocalRules(EndpointLists.Ports, EndpointLists.LocalPorts)]),
        parts.Chain(NodePorts, [.. Dispatch(EndpointLists.Ports, FixedSets.MasqueradeNodePorts, FixedSets.ExternalLocalNodePorts, ExternalLocalNodePorts)]),
        parts.Chain("masquerading",
        [
            new NftRule(parts.IsMarked, parts.Unmark, NftNat.Masquerade(NftNatFlags.FullyRandom)),
            new NftRule(
                new NftBitsMatch(new NftCt(NftCtKey.Status), (uint)NftCtStatus.Dnat),
                new NftSetMatch(new NftConcat(parts.Saddr, parts.Daddr), FixedSets.HairpinIps),
                NftNat.Masquerade(NftNatFlags.FullyRandom)),
        ]),
        parts.Chain("services", [.. ServicesRules(node)]),
        parts.Hooked("filter-prerouting-pre-dnat", NftChainType.Filter, NftHook.Prerouting, -110, [RuleParts.OnNew("firewall-check")]),
        parts.Hooked("filter-output-pre-dnat", NftChainType.Filter, NftHook.Output, -110, [RuleParts.OnNew("firewall-check")]),
        parts.Hooked("filter-input", NftChainType.Filter, NftHook.Input, 0, [RuleParts.OnNew("nodeport-endpoints-check"), RuleParts.OnNew("service-endpoints-check")]),
        parts.Hooked("filter-forward", NftChainType.Filter, NftHook.Forward, 0, [RuleParts.OnNew("service-endpoints-check"), RuleParts.OnNew("cluster-ips-check")]),
        parts.Hooked("filter-output", NftChainType.Filter, NftHook.Output, 0, [RuleParts.OnNew("service-endpoints-check"), RuleParts.OnNew("cluster-ips-check")]),
        parts.Hooked("nat-prerouting", NftChainType.Nat, NftHook.Prerouting, -100, [new NftRule(RuleParts.Jump("services"))]),
        parts.Hooked("nat-output", NftChainType.Nat, NftHook.Output, -100, [new NftRule(RuleParts.Jump("services"))]),
        parts.Hooked("nat-postrouting", NftChainType.Nat, NftHook.Postrouting, 100, [new NftRule(RuleParts.Jump("masquerading"))]),
    ];

    private IEnumerable<NftRule> ServicesRules(NodePlan node)
    {
        var toClusterIp = new NftSetMatch(parts.Daddr, FixedSets.ClusterIps);
        if (policy.All)
            yield return new NftRule(toClusterIp, parts.Mark) { Comment = "masquerade all clusterIP traffic" };
        else if (parts.FromPods(negated: true) is { } fromElsewhere)
            yield return new NftRule(toClusterIp, fromElsewhere, parts.Mark) { Comment = "masquerade clusterIP traffic from outside cluster" };
        foreach (var rule in Dispatch(EndpointLists.Ips, FixedSets.MasqueradeIps, FixedSets.ExternalLocalIps, ExternalLocal)) yield return rule;
        yield return new NftRule([.. parts.NodePortConditions(node, locally: true), RuleParts.Jump(NodePorts)]);
    }

    private IEnumerable<NftRule> Dispatch(EndpointLists lists, string masqueraded, string externalLocal, string externalLocalChain)
    {
        var frontend = parts.FrontendOf(lists.NodePorts);
        yield return new NftRule(new NftSetMatch(frontend, masqueraded), parts.Mark);
        yield return new NftRule(new NftSetMatch(frontend, externalLocal), RuleParts.Goto(externalLocalChain));
        yield return new NftRule(RuleParts.Jump(lists.Chain));
    }

    // The policy is about traffic from outside; pods and the node itself reach every endpoint.
    private IEnumerable<NftRule> ExternalLocalRules(EndpointLists all, EndpointLists local)
    {
        if (parts.FromPods(negated: false) is { } fromPods)
            yield return new NftRule(fromPods, RuleParts.Jump(all.Chain)) { Comment = "short-circuit pod traffic" };
        yield return new NftRule(RuleParts.FromThisNode, parts.Mark, RuleParts.Jump(all.Chain)) { Comment = "short-circuit local traffic" };
        yield return new NftRule(RuleParts.Goto(local.Chain));
    }
}
