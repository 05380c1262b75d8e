using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Ruleset;

namespace KubeProxy.Netfilter.Backends.Balanced;

/// <summary>Compiles the plan of a service port to elements of the table, and hands it to the balancer.</summary>
internal sealed class BalancedCompiler(BalancedMaps maps, AffinityCompiler affinity, IBalancer balancer) : IServicePortCompiler
{
    /// <summary>The addresses of the node by which plans are compiled from now on.</summary>
    public NodeAddresses Node { get; set; } = new([], []);

    /// <inheritdoc/>
    public void Compile(RuleOwner owner, ServicePortPlan plan)
    {
        // The balancer has session affinity of its own.
        var number = affinity.Stage(owner, plan, plan.Frontends.Any(frontend => frontend.ShortCircuit) ? plan.ClusterEndpoints : [], []);
        foreach (var frontend in plan.Frontends) Stage(owner, plan, frontend, number);
        foreach (var address in plan.HairpinAddresses) maps.HairpinIps.Stage(address, default);
        maps.Commit(owner);
        balancer.Set(owner, plan, Node);
    }

    /// <inheritdoc/>
    public void Remove(RuleOwner owner)
    {
        affinity.Forget(owner);
        maps.Remove(owner);
        balancer.Remove(owner);
    }

    private void Stage(RuleOwner owner, ServicePortPlan plan, Frontend frontend, uint? number)
    {
        maps.Policies.Stage(owner, frontend);
        if (frontend.Key.Address is { } address)
        {
            if (frontend.IsBalanced) maps.Balanced.Stage(frontend.Key, default);
            if (!Node.All.Contains(address)) maps.Virtual.Stage(address, default);
        }

        var kind = frontend.Key.Address is null ? maps.NodePorts : maps.Ips;
        if (frontend.ShortCircuit)
        {
            kind.ExternalLocal.Stage(frontend.Key, default);
            ServicePortCompiler.StageList(owner, plan, frontend, kind.All, Destination.ClusterEndpoints, number);
        }

        if (frontend.Masquerade) kind.Masqueraded.Stage(frontend.Key, default);
    }
}
