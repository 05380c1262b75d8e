namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>Nobody else is there, as with an in-memory ruleset.</summary>
internal sealed class NoForeignChanges : IForeignChanges
{
    public void Start(Action<string> touched)
    {
    }

    public bool TakeTouched() => false;

    public ValueTask<bool> SeenUntouchedAsync(uint generation, CancellationToken cancellationToken) => new(false);

    public ValueTask<CommitTurn> TakeTurnAsync(uint known, CancellationToken cancellationToken) => new(new CommitTurn(known, _ => { }));

    public void Pause()
    {
    }

    public Task ResumeAsync(uint? generation) => Task.CompletedTask;

    public ValueTask DisposeAsync() => default;
}
