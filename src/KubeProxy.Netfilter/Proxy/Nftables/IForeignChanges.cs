namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>Tells when somebody else changes the proxy's table.</summary>
internal interface IForeignChanges : IAsyncDisposable
{
    /// <summary>Begins to listen. <paramref name="touched"/> is called from any thread, with what was seen, for logs.</summary>
    void Start(Action<string> touched);

    /// <summary>Whether the table was (or may have been) touched since the last call.</summary>
    bool TakeTouched();

    /// <summary>
    /// Waits until all commits up to that generation have been seen.
    /// </summary>
    /// <returns>True when none of them touched the table; false when one did, or when that is not known in time.</returns>
    ValueTask<bool> SeenUntouchedAsync(uint generation, CancellationToken cancellationToken);

    /// <summary>
    /// Stops listening around a large commit of our own, because the kernel makes a message of every element for listeners.
    /// </summary>
    void Pause();

    /// <summary>Listens again.</summary>
    /// <param name="generation">What the commit made; null when it failed.</param>
    Task ResumeAsync(uint? generation);

    /// <summary>The latest generation known, if nobody else touched the table up to it; null otherwise.</summary>
    uint? UntouchedGeneration { get; }
}
