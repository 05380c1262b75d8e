using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes;

/// <summary>What <see cref="ApiServerSource"/> is doing about one kind.</summary>
public enum ReflectorPhase
{
    /// <summary>Not begun.</summary>
    Idle,

    /// <summary>Reading all objects.</summary>
    Listing,

    /// <summary>Following changes.</summary>
    Watching,

    /// <summary>Waiting after a failure, or because the server does not know the kind.</summary>
    Waiting,
}

/// <summary>The state of one kind.</summary>
public sealed record ReflectorStatus
{
    /// <summary>The kind.</summary>
    public required ObjectKind Kind { get; init; }

    /// <summary>What is being done now.</summary>
    public ReflectorPhase Phase { get; init; }

    /// <summary>Whether all objects were read at least once.</summary>
    public bool Synced { get; init; }

    /// <summary>Objects known.</summary>
    public int Objects { get; init; }

    /// <summary>The last resource version; null when all has to be read anew.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>When the server last sent something; null if it never did.</summary>
    public DateTimeOffset? LastContact { get; init; }

    /// <summary>The last failure; null when the last attempt went well.</summary>
    public string? Error { get; init; }
}
