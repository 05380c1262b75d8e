using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>
/// Removes clients from the kernel's memory whose endpoint is gone. The rules do not go by them any more, and they would end with their timeout; until
/// then they take up room. A client that comes back meanwhile has chosen anew and stays.
/// </summary>
/// <param name="nftables">Where clients are read.</param>
/// <param name="family">The family.</param>
/// <param name="maps">Where they are.</param>
/// <param name="write">Writes outside of what is desired; false when the kernel refuses.</param>
/// <param name="time">The clock.</param>
internal sealed class AffinitySweep(
    INftables nftables, IpFamily family, IReadOnlyList<ServiceMaps.AffinityMaps> maps, Func<List<PendingWrite>, CancellationToken, Task<bool>> write, TimeProvider time)
{
    // A client comes and goes between reading and writing now and then. If it is not done after that, the next time will do.
    private const int Attempts = 3;

    // A dump costs the square of the number of clients: 0.1 s for these. Where there are more, only the periodic check looks.
    private const int ManyClients = 1 << 16;

    // Of a sweep that takes longer than that, no more of the time than one in so many parts.
    private const int Share = 20;

    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Brief = TimeSpan.FromSeconds(1);

    private bool _pending;
    private bool _hasMany;
    private long _lastEnd;
    private TimeSpan _lastDuration;

    /// <summary>Sweeps if endpoints left, unless that would take too long.</summary>
    /// <param name="left">Whether endpoints left.</param>
    /// <param name="verify">Whether to look in any case.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task SweepAsync(bool left, bool verify, CancellationToken cancellationToken)
    {
        _pending |= left || verify;
        if (!_pending || (!verify && (_hasMany || (_lastDuration > Short && time.GetElapsedTime(_lastEnd) < _lastDuration * Share)))) return;
        var start = time.GetTimestamp();
        (_pending, _hasMany) = (false, false);
        foreach (var each in maps)
        {
            for (var attempt = 0; attempt < Attempts && !await TrySweepAsync(each, cancellationToken); attempt++) _pending |= attempt == Attempts - 1;
        }

        _lastEnd = time.GetTimestamp();
        _lastDuration = time.GetElapsedTime(start);
    }

    private async Task<bool> TrySweepAsync(ServiceMaps.AffinityMaps each, CancellationToken cancellationToken)
    {
        var gone = new List<NftElement>();
        var count = 0;
        await nftables.ReadElementsAsync(each.Clients, element =>
        {
            _hasMany |= ++count > ManyClients;
            if (!AffinityBytes.TryDecode(element.Data, family, out var endpoint) || maps.Any(map => map.Endpoints.IsWanted(endpoint))) return;
            gone.Add(new NftElement { Key = element.Key, Data = element.Data, Timeout = Brief });
        }, Restart, cancellationToken);
        return gone.Count == 0 || await write([.. gone.DistinctBy(element => element.Key).Chunk(TableWriter.UsualOperationSize).SelectMany(chunk => Write(each.Clients, chunk))], cancellationToken);

        void Restart()
        {
            gone.Clear();
            count = 0;
        }
    }

    // The kernel refuses to delete what is not there, and does not look at what it maps to: so the element is first added as it was read. That
    // does nothing if it is still there, brings it back if it has ended, and is refused if the client has another endpoint by now.
    private static IEnumerable<PendingWrite> Write(NftSet set, NftElement[] elements)
    {
        yield return Of(transaction => transaction.AddElements(set, elements), 0);
        yield return Of(transaction => transaction.DeleteElements(set, elements), elements.Length);

        static PendingWrite Of(Func<NftTransaction, NftTransaction> addTo, int count) =>
            new() { Count = count, AddTo = addTo, Acknowledge = () => { }, OwnerOf = _ => null };
    }
}
