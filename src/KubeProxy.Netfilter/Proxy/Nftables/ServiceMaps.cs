using System.Diagnostics.CodeAnalysis;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>The table of the nftables backend with the sets and maps that all services share.</summary>
internal sealed class ServiceMaps : TableState
{
    [SetsRequiredMembers]
    public ServiceMaps(IpFamily family, FixedSets sets)
    {
        ElementCollection<FrontendKey, FrontendVerdict> Verdicts(string name, bool nodePorts) =>
            new(sets[name], new FrontendVerdictCodec(nodePorts ? null : family));
        ElementCollection<EndpointSlot, IpEndpoint> Slots(string name, bool nodePorts) =>
            new(sets[name], new EndpointSlotCodec(family, nodePorts));

        Endpoints = Slots(FixedSets.Endpoints, nodePorts: false);
        LocalEndpoints = Slots(FixedSets.LocalEndpoints, nodePorts: false);
        NodePortEndpoints = Slots(FixedSets.NodePortEndpoints, nodePorts: true);
        LocalNodePortEndpoints = Slots(FixedSets.LocalNodePortEndpoints, nodePorts: true);
        ServiceIps = Verdicts(FixedSets.ServiceIps, nodePorts: false);
        LocalServiceIps = Verdicts(FixedSets.LocalServiceIps, nodePorts: false);
        ShortCircuitIps = Verdicts(FixedSets.ShortCircuitIps, nodePorts: false);
        ServiceNodePorts = Verdicts(FixedSets.ServiceNodePorts, nodePorts: true);
        LocalServiceNodePorts = Verdicts(FixedSets.LocalServiceNodePorts, nodePorts: true);
        ShortCircuitNodePorts = Verdicts(FixedSets.ShortCircuitNodePorts, nodePorts: true);
        Policies = new FrontendPolicies(family, sets);
        NodePortIps = new(sets[FixedSets.NodePortIps], new AddressCodec(family));
        HairpinIps = new(sets[FixedSets.HairpinIps], new HairpinCodec(family));
        // What others lead to comes first, so that a cold start in several transactions is consistent after each.
        Elements =
        [
            Endpoints, LocalEndpoints, NodePortEndpoints, LocalNodePortEndpoints, HairpinIps,
            Policies.FirewallSources, Policies.FirewallServices,
            LocalServiceIps, LocalServiceNodePorts, ShortCircuitIps, ShortCircuitNodePorts, NodePortIps,
            ServiceIps, ServiceNodePorts, Policies.NoEndpointServices, Policies.NoEndpointNodePorts, Policies.ClusterIps,
        ];
    }

    public ElementCollection<EndpointSlot, IpEndpoint> Endpoints { get; }

    public ElementCollection<EndpointSlot, IpEndpoint> LocalEndpoints { get; }

    public ElementCollection<EndpointSlot, IpEndpoint> NodePortEndpoints { get; }

    public ElementCollection<EndpointSlot, IpEndpoint> LocalNodePortEndpoints { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> ServiceIps { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> LocalServiceIps { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> ShortCircuitIps { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> ServiceNodePorts { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> LocalServiceNodePorts { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> ShortCircuitNodePorts { get; }

    /// <summary>What is refused, and what must not be.</summary>
    public FrontendPolicies Policies { get; }

    public ElementCollection<IpAddr, NoValue> NodePortIps { get; }

    public ElementCollection<IpAddr, NoValue> HairpinIps { get; }
}
