using System.Collections.Immutable;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>The chains that refuse connections, by what <see cref="FrontendPolicies"/> put into their sets.</summary>
/// <param name="parts">What rules are made of.</param>
/// <param name="localhost">What refuses node ports on loopback addresses; null for nothing.</param>
internal sealed class PolicyChains(RuleParts parts, LocalhostRejects? localhost = null)
{
    public const string Reject = "reject-chain";
    public const string ServiceEndpoints = "service-endpoints-check";
    public const string NodePortEndpoints = "nodeport-endpoints-check";
    public const string Firewall = "firewall-check";
    public const string ClusterIps = "cluster-ips-check";

    /// <summary>The chains with their rules.</summary>
    public IEnumerable<ChainDefinition> Define(NodePlan node) =>
    [
        parts.Chain(Reject, [.. RejectRules], "helper for @no-endpoint-services / @no-endpoint-nodeports"),
        parts.Chain(ServiceEndpoints, [new NftRule(new NftVerdictMapStatement(parts.Frontend, FixedSets.NoEndpointServices))]),
        .. localhost is null ? [] : new[] { localhost.Chain },
        parts.Chain(NodePortEndpoints,
            [.. localhost?.Rules(node) ?? [], new NftRule([.. parts.NodePortConditions(node, locally: false), new NftVerdictMapStatement(RuleParts.NodePort, FixedSets.NoEndpointNodePorts)])]),
        parts.Chain(Firewall, [FirewallRule]),
        parts.Chain(ClusterIps, [.. ClusterIpsRules(node)]),
    ];

    // TCP gets a reset: a process of this node that is still within connect(2) takes the ICMP error of its own SYN for a passing one, and
    // sends again after a second.
    private static IEnumerable<NftRule> RejectRules =>
    [
        new NftRule(new NftMatch(RuleParts.Protocol, NftOperator.Equal, RuleParts.ProtocolNumber(Core.Model.Protocol.Tcp)), new NftReject(TcpReset: true)),
        new NftRule(new NftReject()),
    ];

    private NftRule FirewallRule => new(
        new NftSetMatch(parts.Frontend, FixedSets.FirewallServices),
        new NftSetMatch(new NftConcat([.. parts.Frontend.Parts, parts.Saddr]), FixedSets.FirewallSources, Negated: true),
        RuleParts.Drop)
    { Comment = "drop what LoadBalancerSourceRanges do not allow" };

    private IEnumerable<NftRule> ClusterIpsRules(NodePlan node)
    {
        yield return new NftRule(new NftSetMatch(parts.Daddr, FixedSets.ClusterIps), RuleParts.Goto(Reject))
        { Comment = "Reject traffic to invalid ports of ClusterIPs" };
        foreach (var cidr in node.ServiceCidrs)
            yield return new NftRule(parts.DaddrIn(cidr), RuleParts.Drop) { Comment = "Drop traffic to unallocated ClusterIPs" };
    }
}
