using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>
/// Deletes conntrack entries that lead where a service port no longer goes, or past the rules. Remembers what changed until its flows have been
/// looked at: a sync that fails is tried again without its changes, and must still delete what they made stale.
/// </summary>
/// <param name="family">The family.</param>
/// <param name="servicePorts">The service ports that are wanted.</param>
/// <param name="rules">Which flows are left alone.</param>
/// <param name="conntrack">Where the flows are.</param>
/// <param name="logger">Where to say what failed.</param>
internal sealed partial class StaleFlows(IpFamily family, ServicePorts servicePorts, IBackendRules rules, IConntrack conntrack, ILogger logger)
{
    private readonly HashSet<ServicePortName> _changed = [];
    private readonly HashSet<FrontendKey> _frontendsBefore = [];
    private readonly HashSet<FrontendKey> _appeared = [];

    /// <summary>Notes what changes. Before the changes are taken over.</summary>
    public void Note(PlanChanges changes)
    {
        foreach (var plan in changes.Updated)
        {
            if (plan.Name.Protocol != Protocol.Tcp) NoteChange(plan.Name);
            else if (!rules.SeesEveryPacket) NoteAppeared(plan);
        }

        foreach (var name in changes.Removed)
        {
            if (name.Protocol != Protocol.Tcp) NoteChange(name);
            else _appeared.ExceptWith(LeadingOf(name));
        }
    }

    /// <summary>
    /// Deletes what is stale. To be called when the rules are in the kernel, not before: otherwise a client could get a new
    /// stale entry at once.
    /// </summary>
    public async Task<int> DeleteAsync(CancellationToken cancellationToken)
    {
        var current = _changed.Select(servicePorts.Find).OfType<ServicePortPlan>();
        var plan = new StaleFlowPlan(family, current, _frontendsBefore, rules.AcceptsNodePorts, _appeared) { KeepsUntranslated = rules.SeesEveryPacket, IsOwn = rules.IsOwn };
        try
        {
            var deleted = await new StaleFlowCleaner(conntrack).CleanAsync(plan, cancellationToken);
            _changed.Clear();
            _frontendsBefore.Clear();
            _appeared.Clear();
            return deleted;
        }
        catch (NetlinkException e)
        {
            // The rules are in force: the sync itself did not fail. The next one tries again.
            LogFlows(logger, family, e.Message);
            return 0;
        }
    }

    private void NoteChange(ServicePortName name)
    {
        _changed.Add(name);
        if (servicePorts.Find(name) is { } before) _frontendsBefore.UnionWith(before.Frontends.Select(frontend => frontend.Key));
    }

    // Most changes are of endpoints, while others are left: then there is nothing to ask the kernel for.
    private void NoteAppeared(ServicePortPlan plan)
    {
        var before = LeadingOf(plan.Name).ToHashSet();
        foreach (var frontend in plan.Frontends)
        {
            if (!frontend.HasEndpoints) _appeared.Remove(frontend.Key);
            else if (!before.Contains(frontend.Key)) _appeared.Add(frontend.Key);
        }
    }

    private IEnumerable<FrontendKey> LeadingOf(ServicePortName name) =>
        (servicePorts.Find(name)?.Frontends ?? []).Where(frontend => frontend.HasEndpoints).Select(frontend => frontend.Key);

    [LoggerMessage(1, LogLevel.Warning, "{Family}: stale conntrack entries could not be deleted: {Error}")]
    private static partial void LogFlows(ILogger logger, IpFamily family, string error);
}
