using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.History;

/// <summary>An object whose change mattered.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="ResourceVersion"><c>metadata.resourceVersion</c> since the change; null when it is gone, or has none.</param>
/// <param name="IsGone">Whether it is gone.</param>
/// <param name="Service">The Service that it concerns; null for all of them.</param>
public readonly record struct ChangeCause(ObjectKind Kind, NamespacedName Name, string? ResourceVersion, bool IsGone, NamespacedName? Service)
{
    /// <summary>For example <c>EndpointSlice default/web-1 (resourceVersion 42)</c>.</summary>
    public override string ToString() => $"{Kind.ToName()} {Name}{(IsGone ? " (gone)" : ResourceVersion is { Length: > 0 } version ? $" (resourceVersion {version})" : "")}";
}

/// <summary>A sync that did something, or failed: what had changed, and what became of it in the kernel.</summary>
public sealed record ChangeRecord
{
    /// <summary>The most causes that are kept of one.</summary>
    public const int MostCauses = 8;

    /// <summary>1 for the first since the start of the process, over all families.</summary>
    public long Number { get; internal init; }

    /// <summary>The family.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>Since when the oldest of the changes waited; null when nothing did, as with a repair.</summary>
    public DateTimeOffset? Queued { get; init; }

    /// <summary>When the kernel had acknowledged all of it, or when it failed.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>How long planning, compiling and writing took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>The objects that had changed, in the order of their changes, at most <see cref="MostCauses"/>; none for a retry, a repair or a check.</summary>
    public required IReadOnlyList<ChangeCause> Causes { get; init; }

    /// <summary>How many changes there were.</summary>
    public required int CauseCount { get; init; }

    /// <summary>Service ports with another plan.</summary>
    public int Updated { get; init; }

    /// <summary>Service ports that went.</summary>
    public int Removed { get; init; }

    /// <summary>Kernel objects written or deleted.</summary>
    public int Operations { get; init; }

    /// <summary>Of these, those that others had changed.</summary>
    public int Repaired { get; init; }

    /// <summary>Stale conntrack entries deleted.</summary>
    public int DeletedFlows { get; init; }

    /// <summary>Why it failed; null when it succeeded.</summary>
    public string? Error { get; init; }

    /// <summary>Whether one of the causes concerns the Service.</summary>
    public bool Concerns(NamespacedName service)
    {
        foreach (var cause in Causes)
            if (cause.Service == service) return true;
        return false;
    }
}
