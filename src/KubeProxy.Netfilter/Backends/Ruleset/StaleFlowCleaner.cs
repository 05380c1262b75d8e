using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Conntrack;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>
/// Deletes flows that no longer agree with the rules. A flow is translated by its first packet only; a client that keeps
/// sending from one port would talk to a dead endpoint, or past the rules, for ever. To be run once the new rules are in the
/// kernel: a flow deleted before would come back by the old ones.
/// </summary>
/// <remarks>See <see cref="StaleFlowPlan"/> for which flows are stale.</remarks>
public sealed class StaleFlowCleaner(IConntrack conntrack)
{
    /// <summary>
    /// Up to so many frontends of a protocol, each is asked for on its own: the kernel goes through its table each time, but copies
    /// out only what concerns the frontend. Beyond, all flows of the protocol that can be stale are read once.
    /// </summary>
    private const int MaxSeparateDumps = 4;

    /// <summary>Deletes the stale flows; asks the kernel nothing when the plan has no frontend to look at.</summary>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="Netlink.NetlinkException">The kernel refused a request.</exception>
    public async Task<int> CleanAsync(StaleFlowPlan plan, CancellationToken cancellationToken = default)
    {
        if (plan.IsEmpty) return 0;
        HashSet<Flow> stale = [];
        foreach (var filter in Filters(plan))
        {
            await conntrack.VisitAsync(filter, (in Flow flow) =>
            {
                if (plan.IsStale(flow)) stale.Add(flow);
            }, cancellationToken: cancellationToken);
        }

        return stale.Count == 0 ? 0 : await conntrack.DeleteAsync([.. stale], cancellationToken);
    }

    private static IEnumerable<FlowFilter> Filters(StaleFlowPlan plan) =>
        plan.Frontends.GroupBy(key => key.Protocol).SelectMany(keys => Filters(plan.Family, keys.Key, [.. keys]));

    private static IEnumerable<FlowFilter> Filters(IpFamily family, Protocol protocol, FrontendKey[] keys)
    {
        var all = new FlowFilter { Family = family, Protocol = protocol };
        // Of half a million TCP connections those without an answer are a few.
        if (protocol == Protocol.Tcp) all = all with { Status = FlowStatus.None, StatusMask = FlowStatus.SeenReply };
        return keys.Length > MaxSeparateDumps
            ? [all]
            : keys.Select(key => all with { OriginalDestination = key.Address, OriginalDestinationPort = key.Port });
    }
}
