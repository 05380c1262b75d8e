namespace KubeProxy.Host.Backends;

/// <summary>Removes everything that one kind of backend may have left in the kernel: for <c>--cleanup</c> and for a change of mode.</summary>
internal interface IRuleCleaner
{
    /// <summary>What it removes, for logs.</summary>
    string Subject { get; }

    /// <summary>Whether what it removes can decide where a connection goes, as long as it is there.</summary>
    bool CanWin => true;

    /// <summary>Removes it; nothing to remove is fine.</summary>
    /// <returns>What was removed, one text each.</returns>
    Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken);
}
