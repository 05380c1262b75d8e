using System.Diagnostics.CodeAnalysis;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>The table of the userspace backend, with the sets and maps that all services share.</summary>
internal sealed class RelayMaps : TableState
{
    public const string Ips = "relayed-ips";
    public const string NodePorts = "relayed-nodeports";
    public const string ExternalIps = "external-policy-ips";
    public const string ExternalNodePorts = "external-policy-nodeports";

    [SetsRequiredMembers]
    public RelayMaps(RuleParts parts)
    {
        var shared = new FixedSets(parts);
        NftDataType[] nodePort = [NftDataType.InetProto, NftDataType.InetService];
        NftDataType[] service = [parts.AddressType, .. nodePort];
        RelayedIps = new(Set(Ips, service, "ClusterIP, ExternalIP and LoadBalancer IP traffic"), new FrontendCodec(parts.Family), Staged);
        RelayedNodePorts = new(Set(NodePorts, nodePort, "NodePort traffic"), new FrontendCodec(null), Staged);
        ShortCircuitIps = new(VerdictMap(ExternalIps, service), new FrontendVerdictCodec(parts.Family), Staged);
        ShortCircuitNodePorts = new(VerdictMap(ExternalNodePorts, nodePort), new FrontendVerdictCodec(null), Staged);
        NodePortIps = new(shared[FixedSets.NodePortIps], new AddressCodec(parts.Family), Staged);
        Policies = new FrontendPolicies(parts.Family, shared, Staged);
        Elements =
        [
            Policies.FirewallSources, Policies.FirewallServices, NodePortIps, ShortCircuitIps, ShortCircuitNodePorts, RelayedIps, RelayedNodePorts,
            Policies.NoEndpointServices, Policies.NoEndpointNodePorts, Policies.ClusterIps,
        ];

        NftSet Set(string name, NftDataType[] key, string comment) =>
            new(new NftSetKey(parts.Table, name)) { KeyType = [.. key], Comment = comment };
        NftSet VerdictMap(string name, NftDataType[] key) => Set(name, key, "traffic from outside is treated otherwise") with { Kind = NftSetKind.VerdictMap };
    }

    /// <summary>Frontends with an address that are given to the relay.</summary>
    public ElementCollection<FrontendKey, NoValue> RelayedIps { get; }

    /// <summary>Node ports that are given to the relay.</summary>
    public ElementCollection<FrontendKey, NoValue> RelayedNodePorts { get; }

    /// <summary>What is different for those among the frontends whose policy is about traffic from outside.</summary>
    public ElementCollection<FrontendKey, FrontendVerdict> ShortCircuitIps { get; }

    /// <summary>The same for node ports.</summary>
    public ElementCollection<FrontendKey, FrontendVerdict> ShortCircuitNodePorts { get; }

    /// <summary>Addresses of this node that accept node ports, when not all do.</summary>
    public ElementCollection<IpAddr, NoValue> NodePortIps { get; }

    /// <summary>What is refused, and what must not be.</summary>
    public FrontendPolicies Policies { get; }
}
