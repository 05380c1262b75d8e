using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Proxy.Nftables;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>
/// The UDP service ports that changed and whose flows have not been looked at since: a sync that fails is tried again without
/// its changes, and must still delete what they made stale.
/// </summary>
internal sealed class PendingFlows
{
    private readonly HashSet<ServicePortName> _changed = [];
    private readonly HashSet<FrontendKey> _frontendsBefore = [];

    /// <summary>Notes what changes. Before the changes are taken over.</summary>
    public void Note(PlanChanges changes, ServicePorts current)
    {
        foreach (var name in changes.Updated.Select(plan => plan.Name).Concat(changes.Removed))
        {
            if (name.Protocol != Protocol.Udp) continue;
            _changed.Add(name);
            if (current.Find(name) is { } before) _frontendsBefore.UnionWith(before.Frontends.Select(frontend => frontend.Key));
        }
    }

    /// <summary>What to look for, now that the changes are in force.</summary>
    public StaleFlowPlan Plan(IpFamily family, ServicePorts current, Func<IpAddr, bool> acceptsNodePorts) =>
        new(family, _changed.Select(current.Find).OfType<ServicePortPlan>(), _frontendsBefore, acceptsNodePorts);

    /// <summary>Notes that the flows were looked at.</summary>
    public void Clear()
    {
        _changed.Clear();
        _frontendsBefore.Clear();
    }
}
