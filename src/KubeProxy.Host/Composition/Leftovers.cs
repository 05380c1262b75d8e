using System.Collections.Immutable;
using KubeProxy.Core.Health;
using KubeProxy.Host.Backends;

namespace KubeProxy.Host.Composition;

/// <summary>
/// What other modes left and is not removed: until that was tried once it is not known what there is, then what resists and why. Searches by
/// kinds (<see cref="RivalSearches"/>) see only what can be seen at a glance.
/// </summary>
internal sealed class Leftovers : IRivalSearch
{
    private const string Remedy = "It is tried again and again.";

    private volatile IReadOnlyList<Rival> _found = [new Rival("what other modes may have left", "it is removed once the first rules are in force", CanWin: true, "")];

    /// <summary>Whether there is nothing.</summary>
    public bool IsEmpty => _found.Count == 0;

    /// <summary>Puts these in the place of those before.</summary>
    /// <param name="failures">Cleaners that failed, and why.</param>
    public void Set(IEnumerable<(IRuleCleaner Cleaner, string Reason)> failures) => _found = failures
        .Select(failure => new Rival($"what another mode may have left ({failure.Cleaner.Subject})", $"cannot be removed: {failure.Reason}", failure.Cleaner.CanWin, Remedy))
        .ToImmutableArray();

    /// <inheritdoc/>
    public Task<IReadOnlyList<Rival>> SearchAsync(CancellationToken cancellationToken) => Task.FromResult(_found);
}
