namespace KubeProxy.Netfilter.Backends.Ruleset;

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
    /// Waits until no other family commits, and until what they committed has been seen: the ruleset has one generation for all, so
    /// without turns a family would be late again and again while another fills its table.
    /// </summary>
    /// <param name="known">The latest generation of which everything is known that concerns the table.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<CommitTurn> TakeTurnAsync(uint known, CancellationToken cancellationToken);

    /// <summary>
    /// Stops listening around a large commit of our own, because the kernel makes a message of every element for listeners.
    /// </summary>
    void Pause();

    /// <summary>Listens again.</summary>
    /// <param name="generation">What the commit made; null when it failed.</param>
    Task ResumeAsync(uint? generation);
}
