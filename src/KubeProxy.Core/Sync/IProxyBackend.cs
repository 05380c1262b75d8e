using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Sync;

/// <summary>
/// Brings the plans of one address family into the kernel. Called by one sync loop, never concurrently.
/// </summary>
public interface IProxyBackend : IAsyncDisposable
{
    /// <summary>The family it programs.</summary>
    IpFamily Family { get; }

    /// <summary>
    /// Checks what the kernel can do, adopts what is there, and begins to watch for foreign changes. Writes nothing.
    /// </summary>
    /// <param name="requestSync">
    /// To be called from any thread when the kernel no longer holds what was asked for (or a node address came or went) and
    /// <see cref="SyncAsync"/> has something to do; the argument says why, for logs.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProxyBackendException">The kernel or the privileges do not suffice; the message says what is missing.</exception>
    Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken);

    /// <summary>
    /// Takes over the changes and makes the kernel equal to all plans given so far, or takes a step there (<see cref="SyncResult.Pending"/>). The changes are taken even if this throws:
    /// to try again, call it with <see cref="PlanChanges.None"/> or with further changes.
    /// </summary>
    /// <exception cref="ProxyBackendException">The kernel does not (or may not) hold what was asked for; try again later.</exception>
    Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken);
}

/// <summary>What changed since the last sync, for one family.</summary>
public sealed record PlanChanges
{
    /// <summary>No change: a retry, a repair or a periodic check.</summary>
    public static PlanChanges None { get; } = new();

    /// <summary>The node's plan, if it is new; null leaves the last one in force. Never null in the first sync.</summary>
    public NodePlan? Node { get; init; }

    /// <summary>Service ports that are new or changed.</summary>
    public IReadOnlyList<ServicePortPlan> Updated { get; init; } = [];

    /// <summary>Service ports that are gone.</summary>
    public IReadOnlyList<ServicePortName> Removed { get; init; } = [];

    /// <summary>Compare with the kernel instead of relying on what is known of it (the periodic check).</summary>
    public bool Verify { get; init; }
}

/// <summary>What a sync did.</summary>
public sealed record SyncResult
{
    /// <summary>Kernel objects (elements, rules, chains, sets ...) written or deleted; 0 when the kernel was up to date.</summary>
    public int Operations { get; init; }

    /// <summary>Time spent to compute the changes.</summary>
    public TimeSpan CompileTime { get; init; }

    /// <summary>Time spent waiting for the kernel.</summary>
    public TimeSpan CommitTime { get; init; }

    /// <summary>Kernel objects found changed by others and repaired by this sync.</summary>
    public int Repaired { get; init; }

    /// <summary>Stale conntrack entries deleted.</summary>
    public int DeletedFlows { get; init; }

    /// <summary>
    /// Kernel objects that are still to be written, because to write them at once would have kept other changes waiting. When there are any, the
    /// next sync follows at once, with whatever has changed meanwhile.
    /// </summary>
    public int Pending { get; init; }

    /// <summary>Everything that the kernel refuses at present; empty when all is in force.</summary>
    public IReadOnlyList<QuarantinedOwner> Quarantined { get; init; } = [];
}

/// <summary>A service port that the kernel refuses. The others are in force; it is tried again when its plan changes.</summary>
/// <param name="Owner">The service port.</param>
/// <param name="Reason">The operation as text, and what the kernel said.</param>
/// <param name="Since">When it was first refused.</param>
public sealed record QuarantinedOwner(ServicePortName Owner, string Reason, DateTimeOffset Since);

/// <summary>A backend cannot start or sync. The message is for an operator.</summary>
public class ProxyBackendException : Exception
{
    /// <summary>Makes the exception.</summary>
    public ProxyBackendException(string message, Exception? innerException = null) : base(message, innerException) { }

    /// <summary>Makes the exception.</summary>
    public ProxyBackendException() { }

    /// <summary>Makes the exception.</summary>
    public ProxyBackendException(string message) : base(message) { }
}
