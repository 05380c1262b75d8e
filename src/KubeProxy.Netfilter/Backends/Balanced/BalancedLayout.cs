using System.Collections.Immutable;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Balanced;

/// <summary>
/// The chains and rules beside a balancer that takes packets in the input and output hooks; see <c>docs/ipvs.md</c> for the way of
/// a packet. Virtual addresses are the node's own, so packets to them come to the input hook, before the balancer sees them.
/// </summary>
internal sealed class BalancedLayout(RuleParts parts, MasqueradePolicy policy)
{
    private const string ExternalLocal = "external-local";
    private const string ExternalLocalNodePorts = "external-local-nodeports";
    private const string NodePorts = "nodeports";
    private const string VirtualIpsCheck = "virtual-ips-check";

    private readonly PolicyChains _policies = new(parts);

    /// <summary>The table: the same one as that of other modes, so that each takes over from the others.</summary>
    public NftTable Table { get; } = new(parts.Table) { Comment = "rules for kube-proxy" };

    /// <summary>The chains with their rules, those with hooks last.</summary>
    /// <param name="node">The node, with the blocks that accept node ports spelled out: virtual addresses are local too.</param>
    public IEnumerable<ChainDefinition> Chains(NodePlan node) =>
    [
        .. _policies.Define(node),
        parts.Chain(ExternalLocal, [.. ShortCircuit(EndpointLists.Ips)]),
        parts.Chain(ExternalLocalNodePorts, [.. ShortCircuit(EndpointLists.Ports)]),
        parts.Chain(NodePorts, [.. Dispatch(EndpointLists.Ports, FixedSets.MasqueradeNodePorts, FixedSets.ExternalLocalNodePorts, ExternalLocalNodePorts)]),
        parts.Chain(VirtualIpsCheck,
        [
            new NftRule(new NftSetMatch(parts.Frontend, BalancedMaps.BalancedIps), RuleParts.Return),
            new NftRule(new NftSetMatch(parts.Daddr, FixedSets.ClusterIps), RuleParts.Goto(PolicyChains.Reject)),
            new NftRule(new NftSetMatch(parts.Daddr, BalancedMaps.VirtualIps), RuleParts.Drop) { Comment = "this node's own ports are not open on addresses of services" },
        ]),
        parts.Chain("masquerading",
        [
            new NftRule(parts.IsMarked, parts.Unmark, NftNat.Masquerade(NftNatFlags.FullyRandom)),
            // The balancer leaves no trace in the state of a connection. A pod that talks to itself directly is not seen here, and this
            // node talking to itself is, but over loopback.
            new NftRule(NotOverLoopback, new NftSetMatch(new NftConcat(parts.Saddr, parts.Daddr), FixedSets.HairpinIps), NftNat.Masquerade(NftNatFlags.FullyRandom)),
        ]),
        parts.Chain("services", [.. ServicesRules(node)]),
        parts.Hooked("filter-prerouting-pre-dnat", NftChainType.Filter, NftHook.Prerouting, -110, [RuleParts.OnNew(PolicyChains.Firewall)]),
        parts.Hooked("filter-output-pre-dnat", NftChainType.Filter, NftHook.Output, -110, [RuleParts.OnNew(PolicyChains.Firewall)]),
        parts.Hooked("filter-input", NftChainType.Filter, NftHook.Input, 0,
            [RuleParts.OnNew(PolicyChains.NodePortEndpoints), RuleParts.OnNew(PolicyChains.ServiceEndpoints), RuleParts.OnNew(VirtualIpsCheck)]),
        parts.Hooked("filter-forward", NftChainType.Filter, NftHook.Forward, 0, [RuleParts.OnNew(PolicyChains.ServiceEndpoints), RuleParts.OnNew(PolicyChains.ClusterIps)]),
        parts.Hooked("filter-output", NftChainType.Filter, NftHook.Output, 0,
            [RuleParts.OnNew(PolicyChains.ServiceEndpoints), RuleParts.OnNew(VirtualIpsCheck), RuleParts.OnNew(PolicyChains.ClusterIps)]),
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
        else
            yield return new NftRule(toClusterIp, RuleParts.FromThisNode, parts.Mark) { Comment = "this node talks to its own address with that address" };
        foreach (var rule in Dispatch(EndpointLists.Ips, FixedSets.MasqueradeIps, FixedSets.ExternalLocalIps, ExternalLocal)) yield return rule;
        yield return new NftRule([.. parts.NodePortConditions(node, locally: true), RuleParts.Jump(NodePorts)]);
    }

    private IEnumerable<NftRule> Dispatch(EndpointLists lists, string masqueraded, string externalLocal, string externalLocalChain)
    {
        var frontend = parts.FrontendOf(lists.NodePorts);
        yield return new NftRule(new NftSetMatch(frontend, masqueraded), parts.Mark);
        yield return new NftRule(new NftSetMatch(frontend, externalLocal), RuleParts.Goto(externalLocalChain));
    }

    // The policy is about traffic from outside, which is left to the balancer; pods and the node itself reach every endpoint.
    private IEnumerable<NftRule> ShortCircuit(EndpointLists lists)
    {
        if (parts.FromPods(negated: false) is { } fromPods)
            yield return new NftRule(fromPods, RuleParts.Goto(lists.Chain)) { Comment = "short-circuit pod traffic" };
        yield return new NftRule(RuleParts.FromThisNode, parts.Mark, RuleParts.Goto(lists.Chain)) { Comment = "short-circuit local traffic" };
    }

    private static NftStatement NotOverLoopback => new NftMatch(
        new NftMeta(NftMetaKey.Oifname), NftOperator.NotEqual, RuleParts.InterfaceName("lo"));
}
