using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>Takes over what the kernel has in the table.</summary>
/// <param name="nftables">Where it is read.</param>
/// <param name="state">Where it is taken over.</param>
/// <param name="table">The table. If it is to be owned by a socket, then by that of <paramref name="nftables"/>.</param>
/// <param name="largeMap">From how many slots on the lists of a map are asked for by key, unless nothing may be overlooked.</param>
/// <param name="beside">Another connection, to ask for lists over both; null for none.</param>
internal sealed class TableReader(INftables nftables, TableState state, NftTable table, int largeMap = int.MaxValue, INftables? beside = null)
{
    private const int Attempts = 10;

    private readonly INftables[] _connections = beside is null ? [nftables] : [nftables, beside];
    private readonly HashSet<EndpointListCollection> _readByKey = [];
    private bool _made;

    /// <summary>Whether there was a table.</summary>
    public bool Found { get; private set; }

    /// <summary>
    /// Whether the table that was found is of another kind: it has an owner and should not, or the other way round, or it does not say what it is
    /// for. Neither can be changed, and who knows what is in it that we do not.
    /// </summary>
    public bool FoundOtherKind { get; private set; }

    /// <summary>Whether the table that was found is dormant: somebody put it to sleep, and no packet sees its chains.</summary>
    public bool FoundDormant { get; private set; }

    /// <summary>Notes that the table has been made.</summary>
    public void NoteFound() => (Found, FoundOtherKind, FoundDormant, _made) = (true, false, false, true);

    /// <summary>The names of the chains that were found.</summary>
    public IReadOnlyCollection<string> FoundChains { get; private set; } = [];

    /// <summary>The sets of clients that were found: earlier versions, and upstream, have one for each endpoint.</summary>
    public IReadOnlyCollection<NftSet> FoundClientSets { get; private set; } = [];

    /// <summary>The collections of which only the lists were read that something leads to. Forgets them.</summary>
    public IReadOnlyCollection<EndpointListCollection> TakeReadByKey()
    {
        EndpointListCollection[] taken = [.. _readByKey];
        _readByKey.Clear();
        return taken;
    }

    /// <summary>Reads the table; when someone changes the ruleset meanwhile, again.</summary>
    /// <param name="thorough">Whether everything in it is read; otherwise of large maps only the lists that something leads to.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The generation of the ruleset that was read.</returns>
    /// <exception cref="NftUnknownOutcomeException">The ruleset does not stand still.</exception>
    /// <exception cref="TableOwnedException">The table is somebody else's.</exception>
    public async Task<uint> ReadAsync(bool thorough, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (await TryReadAsync(thorough, cancellationToken) is { } generation) return generation;
        }

        throw new NftUnknownOutcomeException($"The nftables ruleset changed {Attempts} times while table {table.Key.Name} was read.");
    }

    private async Task<uint?> TryReadAsync(bool thorough, CancellationToken cancellationToken)
    {
        var generation = await nftables.GetGenerationAsync(cancellationToken);
        var content = await nftables.ReadTableAsync(table.Key, cancellationToken);
        // The kernel would answer EPERM to whatever we write, which does not tell anybody why.
        if (content is not null && IsOwned(content.Table) && !IsOurs) throw new TableOwnedException(table.Key);
        Found = content is not null;
        FoundOtherKind = content is not null && (IsOwned(content.Table) != IsOwned(table) || content.Table.Comment != table.Comment);
        FoundDormant = content is not null && content.Table.Flags.HasFlag(NftTableFlags.Dormant);
        FoundChains = content is null ? [] : [.. content.Chains.Keys];
        FoundClientSets = content is null ? [] : [.. content.Sets.Values.Where(IsClientSet)];
        if (content is null)
        {
            state.AdoptNothing();
            return generation == await nftables.GetGenerationAsync(cancellationToken) ? generation : null;
        }

        AdoptChains(content);
        AdoptSets(content);
        state.Discover(content.Sets.Keys);
        // What leads to lists is read before them.
        foreach (var collection in state.Elements.OrderBy(collection => collection is EndpointListCollection))
            await AdoptElementsAsync(content, collection, thorough, cancellationToken);
        return content.Generation == await nftables.GetGenerationAsync(cancellationToken) ? content.Generation : null;
    }

    // Nobody else can remove it, nor then make it.
    private bool IsOurs => _made && IsOwned(table);

    private static bool IsOwned(NftTable table) => table.Flags.HasFlag(NftTableFlags.Owner);

    private static bool IsClientSet(NftSet set) => set is { Kind: NftSetKind.Set, KeyType: [NftDataType.Ipv4Addr or NftDataType.Ipv6Addr] }
        && set.Flags.HasFlag(NftSetFlags.Dynamic | NftSetFlags.Timeout) && set.Key.Name.StartsWith(ObjectNames.ClientSetPrefix, StringComparison.Ordinal);

    private void AdoptChains(NftTableContent content)
    {
        var adoption = state.Chains.BeginAdoption();
        foreach (var (name, chain) in content.Chains)
            adoption.Observe(name, new ChainDefinition(chain, [.. content.Rules[name].Select(rule => rule.Rule)]));
        adoption.Complete();
    }

    private void AdoptSets(NftTableContent content)
    {
        var adoption = state.Sets.BeginAdoption();
        foreach (var (name, set) in content.Sets) adoption.Observe(name, set);
        adoption.Complete();
    }

    // A set of another type is another implementation's: the table will be replaced, and what is in the set does not matter.
    private async Task AdoptElementsAsync(NftTableContent content, ElementCollection collection, bool thorough, CancellationToken cancellationToken)
    {
        if (!thorough && collection is EndpointListCollection endpoints && await TryAdoptListsAsync(content, endpoints, cancellationToken)) return;
        var adoption = collection.BeginAdoption();
        var name = collection.Set.Key.Name;
        if (content.Sets.TryGetValue(name, out var found) && found == collection.Set)
            await nftables.ReadElementsAsync(collection.Set, adoption.Observe, adoption.Restart, cancellationToken);
        adoption.Complete();
        if (collection is EndpointListCollection read) _readByKey.Remove(read);
    }

    // The kernel dumps a large map in time that grows with the square of it.
    private async Task<bool> TryAdoptListsAsync(NftTableContent content, EndpointListCollection collection, CancellationToken cancellationToken)
    {
        if (!content.Sets.TryGetValue(collection.Set.Key.Name, out var found) || found != collection.Set) return false;
        if (state.ListsInKernel(collection) is not { } known) return false;
        List<(FrontendKey Frontend, int Slots)> lists = [.. known];
        if (lists.Sum(list => (long)list.Slots) < largeMap) return false;
        await collection.AdoptAsync(_connections, lists, cancellationToken);
        _readByKey.Add(collection);
        return true;
    }
}
