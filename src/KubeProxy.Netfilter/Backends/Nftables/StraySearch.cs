using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>
/// Looks for elements that nothing leads to, as a cold start leaves them that was cut off. They do no harm but to take up room. To find them a large map has
/// to be dumped, which takes the kernel long: so that happens beside everything else, over a connection of its own, and ends at the first change of the
/// ruleset by anybody. The next periodic check begins another.
/// </summary>
/// <param name="nftables">The connection.</param>
/// <param name="requestSync">Asks for a sync once it is done.</param>
internal sealed class StraySearch(INftables nftables, Action<string> requestSync) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _search = Task.CompletedTask;
    private Found? _found;

    /// <summary>Begins to look, unless it is looking.</summary>
    /// <param name="collections">Where.</param>
    /// <param name="version">A number that is another one after anything was written.</param>
    public void Begin(IReadOnlyCollection<EndpointListCollection> collections, long version)
    {
        if (collections.Count > 0 && _search.IsCompleted) _search = Task.Run(() => SearchAsync(collections, version));
    }

    /// <summary>Whether the last search has found something. Forgets it.</summary>
    /// <param name="version">As for <see cref="Begin"/>.</param>
    public bool TakeStrays(long version) => Interlocked.Exchange(ref _found, null) is { } found
        && found.Version == version && found.Slots.Any(each => each.Collection.HasStrays(each.Slots));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _search;
        _stop.Dispose();
        await nftables.DisposeAsync();
    }

    private async Task SearchAsync(IReadOnlyCollection<EndpointListCollection> collections, long version)
    {
        using var disturbed = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        try
        {
            List<(EndpointListCollection, IReadOnlyDictionary<FrontendKey, int>)> slots = [];
            foreach (var collection in collections) slots.Add((collection, await collection.CountSlotsAsync(nftables, disturbed.Cancel, disturbed.Token)));
            Volatile.Write(ref _found, new Found(version, slots));
            requestSync("a search for elements that nothing leads to is done");
        }
        catch (Exception e) when (e is OperationCanceledException or NftReadException or ObjectDisposedException)
        {
            // Nothing depends on it.
        }
    }

    private sealed record Found(long Version, IReadOnlyList<(EndpointListCollection Collection, IReadOnlyDictionary<FrontendKey, int> Slots)> Slots);
}
