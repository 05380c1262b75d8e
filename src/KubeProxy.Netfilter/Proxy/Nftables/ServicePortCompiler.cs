using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>Compiles the plan of a service port to entries of the table: elements of shared maps, with few exceptions.</summary>
internal sealed class ServicePortCompiler(ServiceMaps state, DispatchChains dispatch, AffinityCompiler affinity) : IServicePortCompiler
{
    private static readonly NftVerdict ExternalLocal = NftVerdict.Goto(BaseLayout.ExternalLocal);
    private static readonly NftVerdict ExternalLocalNodePorts = NftVerdict.Goto(BaseLayout.ExternalLocalNodePorts);

    /// <summary>The dispatch chains that compiled plans led to and that were not asked for before.</summary>
    public HashSet<(DispatchKind Kind, int Count)> UsedDispatch { get; } = [];

    /// <inheritdoc/>
    public void Compile(RuleOwner owner, ServicePortPlan plan)
    {
        if (plan.AffinityTimeout is { } timeout) affinity.StageObjects(plan, timeout);
        foreach (var frontend in plan.Frontends) Stage(owner, plan, frontend);
        foreach (var address in plan.HairpinAddresses) state.HairpinIps.Stage(address, default);
        state.Commit(owner);
    }

    /// <inheritdoc/>
    public void Remove(RuleOwner owner) => state.Remove(owner);

    private void Stage(RuleOwner owner, ServicePortPlan plan, Frontend frontend)
    {
        var maps = frontend.Key.Address is null ? NodePortMaps : AddressMaps;
        state.Policies.Stage(owner, frontend);
        if (IsExternalLocal(frontend))
        {
            StageExternalLocal(owner, plan, frontend, maps);
        }
        else if (Endpoints(plan, frontend.Destination) is { IsEmpty: false } endpoints)
        {
            var kind = frontend.Masquerade ? maps.MasqueradedKind : maps.Kind;
            maps.Services.Stage(frontend.Key, To(owner, plan, frontend.Destination, kind, endpoints.Length));
            StageSlots(owner, plan, frontend.Key, maps.Endpoints, endpoints);
        }
    }

    private static bool IsExternalLocal(Frontend frontend) =>
        frontend.ShortCircuit || (frontend.Kind != FrontendKind.ClusterIP && frontend.Destination == Destination.LocalEndpoints);

    private void StageExternalLocal(RuleOwner owner, ServicePortPlan plan, Frontend frontend, Maps maps)
    {
        maps.Services.Stage(frontend.Key, new FrontendVerdict(maps.ExternalLocal, owner.Comment));
        if (frontend.ShortCircuit)
        {
            var verdict = To(owner, plan, Destination.ClusterEndpoints, maps.Kind, plan.ClusterEndpoints.Length);
            maps.ShortCircuit.Stage(frontend.Key, verdict);
            StageSlots(owner, plan, frontend.Key, maps.Endpoints, plan.ClusterEndpoints);
        }

        if (frontend.Destination == Destination.LocalEndpoints)
        {
            var verdict = To(owner, plan, Destination.LocalEndpoints, maps.LocalKind, plan.LocalEndpoints.Length);
            maps.Local.Stage(frontend.Key, verdict);
            StageSlots(owner, plan, frontend.Key, maps.LocalEndpoints, plan.LocalEndpoints);
        }
    }

    private FrontendVerdict To(RuleOwner owner, ServicePortPlan plan, Destination destination, DispatchKind kind, int count)
    {
        if (plan.AffinityTimeout is not null) return new FrontendVerdict(AffinityCompiler.VerdictFor(plan, destination, kind is DispatchKind.ExternalEndpoints or DispatchKind.ExternalNodePortEndpoints), owner.Comment);
        UsedDispatch.Add((kind, count));
        return new FrontendVerdict(dispatch.Verdict(kind, count), owner.Comment);
    }

    // Keeps every endpoint in the slot that it has, if that slot is still needed, so that a change of one endpoint is a change
    // of one or two elements and not of the whole list.
    private static void StageSlots(
        RuleOwner owner, ServicePortPlan plan, FrontendKey frontend, ElementCollection<EndpointSlot, IpEndpoint> map, ImmutableArray<IpEndpoint> endpoints)
    {
        if (plan.AffinityTimeout is not null) return;
        var missing = new HashSet<IpEndpoint>(endpoints);
        var free = new List<uint>();
        for (uint index = 0; index < endpoints.Length; index++)
        {
            var slot = new EndpointSlot(frontend, index);
            if (map.TryGetCurrent(owner, slot, out var current) && missing.Remove(current)) map.Stage(slot, current);
            else free.Add(index);
        }

        var next = 0;
        foreach (var endpoint in endpoints)
            if (missing.Contains(endpoint)) map.Stage(new EndpointSlot(frontend, free[next++]), endpoint);
    }

    private static ImmutableArray<IpEndpoint> Endpoints(ServicePortPlan plan, Destination destination) => destination switch
    {
        Destination.ClusterEndpoints => plan.ClusterEndpoints,
        Destination.LocalEndpoints => plan.LocalEndpoints,
        _ => [],
    };

    private Maps AddressMaps { get; } = new(
        state.ServiceIps, state.LocalServiceIps, state.ShortCircuitIps, state.Endpoints, state.LocalEndpoints,
        DispatchKind.Endpoints, DispatchKind.ExternalEndpoints, DispatchKind.LocalEndpoints, ExternalLocal);

    private Maps NodePortMaps { get; } = new(
        state.ServiceNodePorts, state.LocalServiceNodePorts, state.ShortCircuitNodePorts,
        state.NodePortEndpoints, state.LocalNodePortEndpoints,
        DispatchKind.NodePortEndpoints, DispatchKind.ExternalNodePortEndpoints, DispatchKind.LocalNodePortEndpoints, ExternalLocalNodePorts);

    /// <summary>Frontends with an address and node ports differ in the maps that they use, and in nothing else.</summary>
    private sealed record Maps(
        ElementCollection<FrontendKey, FrontendVerdict> Services,
        ElementCollection<FrontendKey, FrontendVerdict> Local,
        ElementCollection<FrontendKey, FrontendVerdict> ShortCircuit,
        ElementCollection<EndpointSlot, IpEndpoint> Endpoints,
        ElementCollection<EndpointSlot, IpEndpoint> LocalEndpoints,
        DispatchKind Kind,
        DispatchKind MasqueradedKind,
        DispatchKind LocalKind,
        NftVerdict ExternalLocal);
}
