using System.Collections.Immutable;
using KubeProxy.Core.Health;
using KubeProxy.Core.History;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Sync;

/// <summary>What a sync has to do, and what to tell when it is done.</summary>
internal sealed record PlanBatch(
    PlanChanges Changes, long Version, List<DateTimeOffset> TriggerTimes, ImmutableArray<ServiceHealth> Health)
{
    /// <summary>The first of what changed.</summary>
    public IReadOnlyList<ChangeCause> Causes { get; init; } = [];

    /// <summary>How much changed.</summary>
    public int CauseCount { get; init; }

    /// <summary>Whether service ports of UDP or SCTP are among the changes.</summary>
    public bool HasFlows => Changes.Updated.Any(plan => plan.Name.Protocol != Protocol.Tcp)
        || Changes.Removed.Any(name => name.Protocol != Protocol.Tcp);

    public bool IsEmpty => Changes.Node is null && Changes.Updated.Count == 0 && Changes.Removed.Count == 0;
}
