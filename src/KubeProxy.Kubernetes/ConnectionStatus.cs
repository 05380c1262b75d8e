namespace KubeProxy.Kubernetes;

/// <summary>Whether the server answers.</summary>
public sealed record ConnectionStatus
{
    /// <summary>Whether the last thing that was heard of the server is an answer, be it a refusal. True before the first request.</summary>
    public bool IsConnected { get; init; } = true;

    /// <summary>Since when the server is away; null while it answers.</summary>
    public DateTimeOffset? AwaySince { get; init; }

    /// <summary>Attempts to reach it that failed since then.</summary>
    public int Attempts { get; init; }

    /// <summary>Why the last attempt failed; null while the server answers.</summary>
    public string? Error { get; init; }
}
