using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>Compiles the plan of a service port to entries of the table: elements of shared sets and maps, with few exceptions.</summary>
internal sealed class ServicePortCompiler(ServiceMaps state, AffinityCompiler affinity) : IServicePortCompiler
{
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
        var maps = frontend.Key.Address is null ? state.NodePorts : state.Ips;
        state.Policies.Stage(owner, frontend);
        if (frontend.IsExternalLocal)
        {
            maps.ExternalLocal.Stage(frontend.Key, default);
            if (frontend.ShortCircuit) StageList(owner, plan, frontend, maps.All, Destination.ClusterEndpoints);
            if (frontend.Destination == Destination.LocalEndpoints) StageList(owner, plan, frontend, maps.Local, Destination.LocalEndpoints);
        }
        else if (frontend.IsBalanced)
        {
            if (frontend.Masquerade) maps.Masqueraded.Stage(frontend.Key, default);
            StageList(owner, plan, frontend, maps.All, frontend.Destination);
        }
    }

    /// <summary>Stages a list of endpoints for a frontend, and what leads to it.</summary>
    public static void StageList(RuleOwner owner, ServicePortPlan plan, Frontend frontend, ServiceMaps.Lists lists, Destination destination)
    {
        if (plan.AffinityTimeout is not null)
        {
            lists.Affinity.Stage(frontend.Key, new FrontendVerdict(AffinityCompiler.VerdictFor(plan, destination), owner.Comment));
            return;
        }

        var endpoints = plan.EndpointsOf(destination);
        var size = SizeClass.Of(endpoints.Length);
        lists.FrontendsBySize[size.Exponent].Stage(frontend.Key, new FrontendLabel(owner.Comment));
        StageSlots(owner, frontend.Key, lists.Slots, endpoints.AsSpan(0, Math.Min(endpoints.Length, size.Slots)));
    }

    // Keeps every endpoint in the slot that it has, if that slot is still needed, so that a change of one endpoint is a change
    // of one or two elements and not of the whole list.
    private static void StageSlots(
        RuleOwner owner, FrontendKey frontend, ElementCollection<EndpointSlot, IpEndpoint> slots, ReadOnlySpan<IpEndpoint> endpoints)
    {
        if (!slots.TryGetCurrent(owner, new EndpointSlot(frontend, 0), out _))
        {
            // A new list.
            for (var i = 0; i < endpoints.Length; i++) slots.Stage(new EndpointSlot(frontend, (uint)i), endpoints[i]);
            return;
        }

        var missing = new HashSet<IpEndpoint>(endpoints.Length);
        foreach (var endpoint in endpoints) missing.Add(endpoint);
        var free = new List<uint>();
        for (uint index = 0; index < endpoints.Length; index++)
        {
            var slot = new EndpointSlot(frontend, index);
            if (slots.TryGetCurrent(owner, slot, out var current) && missing.Remove(current)) slots.Stage(slot, current);
            else free.Add(index);
        }

        var next = 0;
        foreach (var endpoint in endpoints)
            if (missing.Contains(endpoint)) slots.Stage(new EndpointSlot(frontend, free[next++]), endpoint);
    }
}
