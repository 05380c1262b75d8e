using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>Deletes UDP conntrack entries that lead where a service port no longer goes.</summary>
internal sealed partial class StaleFlows(IpFamily family, ServicePorts servicePorts, IConntrack conntrack, ILogger logger)
{
    /// <summary>The UDP frontends of everything that changes, as they are before the change is absorbed.</summary>
    public List<FrontendKey> FrontendsBefore(PlanChanges changes)
    {
        var before = new List<FrontendKey>();
        foreach (var name in changes.Updated.Select(plan => plan.Name).Concat(changes.Removed))
        {
            if (name.Protocol != Protocol.Udp || servicePorts.Find(name) is not { } plan) continue;
            foreach (var frontend in plan.Frontends) before.Add(frontend.Key);
        }

        return before;
    }

    /// <summary>
    /// Deletes what is stale. To be called when the rules are in the kernel, not before: otherwise a client could get a new
    /// stale entry at once.
    /// </summary>
    public async Task<int> DeleteAsync(
        List<FrontendKey> before, PlanChanges changes, Func<IpAddr, bool> acceptsNodePorts, CancellationToken cancellationToken)
    {
        var plan = new StaleFlowPlan(family, changes.Updated, before, acceptsNodePorts);
        try
        {
            return await new StaleFlowCleaner(conntrack).CleanAsync(plan, cancellationToken);
        }
        catch (NetlinkException e)
        {
            // The rules are in force, and old entries time out; the sync itself did not fail.
            LogFlows(logger, family, e.Message);
            return 0;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Family}: stale conntrack entries could not be deleted: {Error}")]
    private static partial void LogFlows(ILogger logger, IpFamily family, string error);
}
