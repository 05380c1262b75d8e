using KubeProxy.Core.Health;

namespace KubeProxy.Host.Tests;

/// <summary>Finds what it is told to.</summary>
internal sealed class FakeRivalSearch : IRivalSearch
{
    private volatile IReadOnlyList<Rival> _found = [];
    private int _searches;

    public IReadOnlyList<Rival> Found
    {
        get => _found;
        set => _found = value;
    }

    public Exception? Problem { get; set; }

    public int Searches => _searches;

    public Task<IReadOnlyList<Rival>> SearchAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _searches);
        return Problem is null ? Task.FromResult(Found) : Task.FromException<IReadOnlyList<Rival>>(Problem);
    }
}
