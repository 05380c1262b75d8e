using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>Compiles the plan of a service port to entries of the table: elements of shared sets and maps, with few exceptions.</summary>
internal sealed class ServicePortCompiler(ServiceMaps state, AffinityCompiler affinity) : IServicePortCompiler
{
    /// <inheritdoc/>
    public void Compile(RuleOwner owner, ServicePortPlan plan)
    {
        var number = affinity.Stage(owner, plan, plan.ClusterEndpoints, plan.LocalEndpoints);
        foreach (var frontend in plan.Frontends) Stage(owner, plan, frontend, number);
        foreach (var address in plan.HairpinAddresses) state.HairpinIps.Stage(address, default);
        state.Commit(owner);
    }

    /// <inheritdoc/>
    public void Remove(RuleOwner owner)
    {
        affinity.Forget(owner);
        state.Remove(owner);
    }

    /// <inheritdoc/>
    public void Expect(int servicePorts) => state.Expect(servicePorts);

    private void Stage(RuleOwner owner, ServicePortPlan plan, Frontend frontend, uint? number)
    {
        var maps = frontend.Key.Address is null ? state.NodePorts : state.Ips;
        state.Policies.Stage(owner, frontend);
        if (frontend.Key.Address is null) state.LocalhostNodePorts?.Stage(frontend.Key, default);
        if (frontend.IsExternalLocal)
        {
            maps.ExternalLocal.Stage(frontend.Key, default);
            if (frontend.ShortCircuit) StageList(owner, plan, frontend, maps.All, Destination.ClusterEndpoints, number);
            if (frontend.Destination == Destination.LocalEndpoints) StageList(owner, plan, frontend, maps.Local, Destination.LocalEndpoints, number);
        }
        else if (frontend.IsBalanced)
        {
            if (frontend.Masquerade) maps.Masqueraded.Stage(frontend.Key, default);
            StageList(owner, plan, frontend, maps.All, frontend.Destination, number);
        }
    }

    /// <summary>Stages a list of endpoints for a frontend, and what leads to it.</summary>
    /// <param name="owner">The service port.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="frontend">The frontend.</param>
    /// <param name="lists">The kind of list.</param>
    /// <param name="destination">Which endpoints.</param>
    /// <param name="affinity">The number of the service port if it asks for session affinity: then it has the lists, and not each frontend.</param>
    public static void StageList(RuleOwner owner, ServicePortPlan plan, Frontend frontend, ServiceMaps.Lists lists, Destination destination, uint? affinity)
    {
        if (affinity is { } number)
        {
            var remembered = destination == Destination.LocalEndpoints ? lists.LocalAffinity : lists.Affinity;
            remembered?.Stage(frontend.Key, new AffinityFrontend(number, owner.Comment));
            return;
        }

        var endpoints = plan.EndpointsOf(destination);
        var size = SizeClass.Of(endpoints.Length);
        lists.FrontendsBySize[size.Exponent].Stage(frontend.Key, new FrontendLabel(owner.Comment));
        lists.Endpoints.TryGetCurrent(owner, frontend.Key, out var current);
        lists.Endpoints.Stage(frontend.Key, current.Rearranged(endpoints.Length > size.Slots ? endpoints[..size.Slots] : endpoints));
    }
}
