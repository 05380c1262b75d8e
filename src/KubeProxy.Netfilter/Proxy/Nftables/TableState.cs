using KubeProxy.Core.Diff;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>Everything in the table: what it should be, and what the kernel is known to have.</summary>
internal sealed class TableState
{
    private readonly List<KeyValuePair<string, ChainDefinition>> _stagedChains = [];
    private readonly List<KeyValuePair<string, NftSet>> _stagedSets = [];

    public TableState(IpFamily family, FixedSets sets)
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
        NoEndpointServices = Verdicts(FixedSets.NoEndpointServices, nodePorts: false);
        ServiceNodePorts = Verdicts(FixedSets.ServiceNodePorts, nodePorts: true);
        LocalServiceNodePorts = Verdicts(FixedSets.LocalServiceNodePorts, nodePorts: true);
        ShortCircuitNodePorts = Verdicts(FixedSets.ShortCircuitNodePorts, nodePorts: true);
        NoEndpointNodePorts = Verdicts(FixedSets.NoEndpointNodePorts, nodePorts: true);
        FirewallServices = new(sets[FixedSets.FirewallServices], new FrontendCodec(family));
        FirewallSources = new(sets[FixedSets.FirewallSources], new AllowedSourceCodec(family));
        ClusterIps = new(sets[FixedSets.ClusterIps], new AddressCodec(family));
        NodePortIps = new(sets[FixedSets.NodePortIps], new AddressCodec(family));
        HairpinIps = new(sets[FixedSets.HairpinIps], new HairpinCodec(family));
        // What others lead to comes first, so that a cold start in several transactions is consistent after each.
        Elements =
        [
            Endpoints, LocalEndpoints, NodePortEndpoints, LocalNodePortEndpoints, HairpinIps, FirewallSources, FirewallServices,
            LocalServiceIps, LocalServiceNodePorts, ShortCircuitIps, ShortCircuitNodePorts, NodePortIps,
            ServiceIps, ServiceNodePorts, NoEndpointServices, NoEndpointNodePorts, ClusterIps,
        ];
    }

    public ElementCollection<EndpointSlot, IpEndpoint> Endpoints { get; }

    public ElementCollection<EndpointSlot, IpEndpoint> LocalEndpoints { get; }

    public ElementCollection<EndpointSlot, IpEndpoint> NodePortEndpoints { get; }

    public ElementCollection<EndpointSlot, IpEndpoint> LocalNodePortEndpoints { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> ServiceIps { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> LocalServiceIps { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> ShortCircuitIps { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> NoEndpointServices { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> ServiceNodePorts { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> LocalServiceNodePorts { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> ShortCircuitNodePorts { get; }

    public ElementCollection<FrontendKey, FrontendVerdict> NoEndpointNodePorts { get; }

    public ElementCollection<FrontendKey, NoValue> FirewallServices { get; }

    public ElementCollection<AllowedSource, NoValue> FirewallSources { get; }

    public ElementCollection<IpAddr, NoValue> ClusterIps { get; }

    public ElementCollection<IpAddr, NoValue> NodePortIps { get; }

    public ElementCollection<IpAddr, NoValue> HairpinIps { get; }

    /// <summary>All collections of elements, in the order in which a cold start fills them.</summary>
    public IReadOnlyList<ElementCollection> Elements { get; }

    /// <summary>The chains with their rules, by name.</summary>
    public OwnedCollection<string, ChainDefinition, RuleOwner> Chains { get; } = new();

    /// <summary>The sets and maps, by name.</summary>
    public OwnedCollection<string, NftSet, RuleOwner> Sets { get; } = new();

    /// <summary>Whether the kernel differs from what is desired, as far as known.</summary>
    public bool HasChanges => Chains.HasChanges || Sets.HasChanges || Elements.Any(e => e.HasChanges);

    /// <summary>The number of objects in which the kernel differs.</summary>
    public int ChangeCount => Chains.ChangeCount + Sets.ChangeCount + Elements.Sum(e => e.ChangeCount);

    public void Stage(ChainDefinition chain) => _stagedChains.Add(KeyValuePair.Create(chain.Chain.Key.Name, chain));

    public void Stage(NftSet set) => _stagedSets.Add(KeyValuePair.Create(set.Key.Name, set));

    /// <summary>Replaces all that the owner wants by what was staged since the last call.</summary>
    public void Commit(RuleOwner owner)
    {
        Chains.Set(owner, _stagedChains);
        Sets.Set(owner, _stagedSets);
        _stagedChains.Clear();
        _stagedSets.Clear();
        foreach (var collection in Elements) collection.Commit(owner);
    }

    /// <summary>Drops all that the owner wants.</summary>
    public void Remove(RuleOwner owner)
    {
        Chains.Remove(owner);
        Sets.Remove(owner);
        foreach (var collection in Elements) collection.Remove(owner);
    }

    /// <summary>Notes that there is no table.</summary>
    public void AdoptNothing()
    {
        Chains.AdoptNothing();
        Sets.AdoptNothing();
        foreach (var collection in Elements) collection.BeginAdoption().Complete();
    }
}
