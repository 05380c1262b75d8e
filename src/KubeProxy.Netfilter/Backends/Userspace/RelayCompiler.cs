using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>Compiles the plan of a service port to elements that lead to the relay, and tells the relay where to go on.</summary>
internal sealed class RelayCompiler(RelayMaps maps, RelayTable relay) : IServicePortCompiler
{
    private static readonly NftVerdict ExternalLocal = NftVerdict.Goto(RelayLayout.ExternalLocal);
    private static readonly NftVerdict ExternalNone = NftVerdict.Goto(RelayLayout.ExternalNone);

    /// <inheritdoc/>
    public void Compile(RuleOwner owner, ServicePortPlan plan)
    {
        relay.Set(plan);
        foreach (var frontend in plan.Frontends) Stage(owner, frontend);
        maps.Commit(owner);
    }

    /// <inheritdoc/>
    public void Remove(RuleOwner owner)
    {
        if (owner.Name is { } name) relay.Remove(name);
        maps.Remove(owner);
    }

    private void Stage(RuleOwner owner, Frontend frontend)
    {
        maps.Policies.Stage(owner, frontend);
        if (!RelayTable.Leads(frontend)) return;
        var isNodePort = frontend.Key.Address is null;
        (isNodePort ? maps.RelayedNodePorts : maps.RelayedIps).Stage(frontend.Key, default);
        if (!frontend.ShortCircuit) return;
        var verdict = frontend.Destination == Destination.LocalEndpoints ? ExternalLocal : ExternalNone;
        (isNodePort ? maps.ShortCircuitNodePorts : maps.ShortCircuitIps).Stage(frontend.Key, new FrontendVerdict(verdict, owner.Comment));
    }
}
