namespace KubeProxy.Kubernetes;

/// <summary><c>Status</c> of the API: the body of an error, or the object of an ERROR event.</summary>
internal sealed record ApiStatus
{
    /// <summary><c>code</c>: as the HTTP status.</summary>
    public int? Code { get; init; }

    /// <summary><c>reason</c>: one word, such as <c>Expired</c>.</summary>
    public string? Reason { get; init; }

    /// <summary><c>message</c>: for people.</summary>
    public string? Message { get; init; }

    /// <summary><c>details</c>.</summary>
    public ApiStatusDetails? Details { get; init; }
}

/// <summary><c>StatusDetails</c>.</summary>
internal sealed record ApiStatusDetails
{
    /// <summary><c>retryAfterSeconds</c>.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary><c>causes</c>.</summary>
    public IReadOnlyList<ApiStatusCause?>? Causes { get; init; }
}

/// <summary><c>StatusCause</c>.</summary>
internal sealed record ApiStatusCause
{
    /// <summary><c>reason</c>, such as <c>ResourceVersionTooLarge</c>.</summary>
    public string? Reason { get; init; }
}
