using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Sync;

/// <summary>What the engine holds and does at a moment, for people.</summary>
public sealed record ProxyStatus
{
    /// <summary>The name of the node.</summary>
    public required string NodeName { get; init; }

    /// <summary>The zone of the node; null when unknown.</summary>
    public string? Zone { get; init; }

    /// <summary>The kinds that the source has delivered completely.</summary>
    public required IReadOnlyList<ObjectKind> Synced { get; init; }

    /// <summary>How much there is.</summary>
    public required ProxyCounts Counts { get; init; }

    /// <summary>The families, in the order of the backends.</summary>
    public required IReadOnlyList<FamilyStatus> Families { get; init; }

    /// <summary>What is wrong with objects; each left out in part or in whole.</summary>
    public required IReadOnlyList<ObjectProblem> Problems { get; init; }
}

/// <summary>Numbers of things.</summary>
public sealed record ProxyCounts
{
    /// <summary>Services that are proxied.</summary>
    public int Services { get; init; }

    /// <summary>EndpointSlices in use.</summary>
    public int EndpointSlices { get; init; }

    /// <summary>Endpoints in them.</summary>
    public int Endpoints { get; init; }

    /// <summary>Services that changed and are not yet planned.</summary>
    public int PendingServices { get; init; }

    /// <summary>Services whose endpoints changed and are not yet planned.</summary>
    public int PendingEndpoints { get; init; }

    /// <summary>Changes of Services since the start.</summary>
    public long ServiceChanges { get; init; }

    /// <summary>Changes of EndpointSlices since the start.</summary>
    public long EndpointChanges { get; init; }

    /// <summary>Current problems.</summary>
    public int Problems { get; init; }
}

/// <summary>One family.</summary>
public sealed record FamilyStatus
{
    /// <summary>The family.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>Service ports with a plan.</summary>
    public int ServicePorts { get; init; }

    /// <summary>Syncs that succeeded.</summary>
    public long Syncs { get; init; }

    /// <summary>Syncs that failed.</summary>
    public long FailedSyncs { get; init; }

    /// <summary>The end of the last successful sync; null before the first.</summary>
    public DateTimeOffset? LastSync { get; init; }

    /// <summary>What the last successful sync did.</summary>
    public SyncResult? LastResult { get; init; }

    /// <summary>Why the last sync failed; null when it succeeded.</summary>
    public string? LastError { get; init; }

    /// <summary>
    /// Whether the last sync succeeded and the kernel has not been changed by others since: it holds what was last asked for, apart
    /// from <see cref="Quarantined"/>.
    /// </summary>
    public bool IsCurrent { get; init; }

    /// <summary>Kernel objects that are still to be written; see <see cref="SyncResult.Pending"/>.</summary>
    public int Pending { get; init; }

    /// <summary>Kernel objects repaired since the start.</summary>
    public long Repaired { get; init; }

    /// <summary>Syncs of the last two minutes that had something to repair; more than a few of them are a fight.</summary>
    public int RecentRepairs { get; init; }

    /// <summary>Why it was last doubted that the kernel holds what was asked for, such as who changed what; null for never.</summary>
    public string? LastDoubt { get; init; }

    /// <summary>Service ports that the kernel refuses.</summary>
    public IReadOnlyList<QuarantinedOwner> Quarantined { get; init; } = [];
}
