using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>
/// A map from slots to endpoints: <c>endpoints</c> and its kin. What is wanted and known is kept as one list for each frontend, a
/// fraction of the size of an entry for each element; only the slots in which lists differ are written.
/// </summary>
internal sealed class EndpointListCollection(NftSet set, IElementCodec<EndpointSlot, IpEndpoint> codec, List<ElementCollection> staged)
    : OwnedElements<FrontendKey, EndpointList>(set, staged)
{
    private const int ListsAtATime = 1024;

    public override void Write(List<PendingWrite> deletions, List<PendingWrite> additions, int operationSize)
    {
        if (!HasChanges) return;
        var changes = Entries.Diff();
        var deleted = changes.Removed.ConvertAll(key => new Part(key, KernelList(key), IsLast: true));
        var added = changes.Added.ConvertAll(entry => new Part(entry.Key, entry.Value, IsLast: true));
        foreach (var (key, wanted) in changes.Replaced)
        {
            var known = KernelList(key);
            var (old, fresh) = (known.Without(wanted), wanted.Without(known));
            if (old.Count > 0) deleted.Add(new Part(key, old, IsLast: fresh.Count == 0));
            if (fresh.Count > 0) added.Add(new Part(key, fresh, IsLast: true));
        }

        foreach (var operation in Operations(deleted, operationSize)) deletions.Add(Deletion(operation));
        foreach (var operation in Operations(added, operationSize)) additions.Add(Addition(operation));
    }

    public override IElementAdoption BeginAdoption() => new Adoption(codec, Entries.BeginAdoption());

    /// <summary>Takes over the lists of these frontends by asking for their slots; whatever else is in the map is overlooked.</summary>
    /// <param name="connections">Where to ask: the kernel answers each on the thread that asks, so several are answered at the same time.</param>
    /// <param name="lists">The frontends, with how many slots each may have taken.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task AdoptAsync(
        IReadOnlyList<INftables> connections, IReadOnlyList<(FrontendKey Frontend, int Slots)> lists, CancellationToken cancellationToken)
    {
        var adoption = Entries.BeginAdoption();
        var pending = new ConcurrentQueue<(FrontendKey Frontend, int Slots)[]>(lists.Chunk(ListsAtATime));
        foreach (var part in await Task.WhenAll(connections.Select(connection => Task.Run(() => ReadPendingAsync(connection), cancellationToken))))
            foreach (var (frontend, list) in part) adoption.Observe(frontend, list);
        adoption.Complete();

        async Task<List<(FrontendKey, EndpointList)>> ReadPendingAsync(INftables connection)
        {
            var read = new List<(FrontendKey, EndpointList)>();
            while (pending.TryDequeue(out var next)) await ReadListsAsync(connection, next, read, cancellationToken);
            return read;
        }
    }

    private async Task ReadListsAsync(
        INftables nftables, (FrontendKey Frontend, int Slots)[] lists, List<(FrontendKey, EndpointList)> result, CancellationToken cancellationToken)
    {
        var begin = result.Count;
        var (current, found) = (-1, new List<(uint Slot, IpEndpoint Endpoint)>());
        await nftables.GetElementsAsync(
            Set,
            lists.Select(list => new LazyElements(list.Slots, i => codec.Encode(new EndpointSlot(list.Frontend, (uint)i), default))),
            (int list, in NftElement element) =>
            {
                if (list != current) Finish();
                current = list;
                if (codec.TryDecode(element, out var slot, out var endpoint)) found.Add((slot.Index, endpoint));
            },
            () =>
            {
                found.Clear();
                result.RemoveRange(begin, result.Count - begin);
            },
            cancellationToken);
        Finish();

        void Finish()
        {
            if (found.Count > 0) result.Add((lists[current].Frontend, EndpointList.From(CollectionsMarshal.AsSpan(found))));
            found.Clear();
        }
    }

    /// <summary>Whether there is a slot in the kernel that nobody knows of.</summary>
    /// <param name="slots">The frontends in the kernel, with how many slots each has taken.</param>
    public bool HasStrays(IReadOnlyDictionary<FrontendKey, int> slots) => slots.Any(list => list.Value > KernelList(list.Key).Count);

    /// <summary>Counts the slots of each frontend that are taken in the kernel.</summary>
    /// <inheritdoc cref="INftables.ReadElementsAsync"/>
    public async Task<IReadOnlyDictionary<FrontendKey, int>> CountSlotsAsync(INftables nftables, Action restart, CancellationToken cancellationToken)
    {
        var slots = new Dictionary<FrontendKey, int>();
        await nftables.ReadElementsAsync(
            Set,
            element =>
            {
                // Not how many: in a dump some may be there twice.
                if (!codec.TryDecode(element, out var slot, out _)) return;
                ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(slots, slot.Frontend, out _);
                count = Math.Max(count, (int)slot.Index + 1);
            },
            restart,
            cancellationToken);
        return slots;
    }

    private EndpointList KernelList(FrontendKey key) => Entries.TryGetKernel(key, out var list) ? list : default;

    // Lists are not cut in two: what is known of the kernel is known of whole lists.
    private static IEnumerable<PartElements> Operations(List<Part> parts, int operationSize)
    {
        for (int start = 0, end = 0, size = 0; end < parts.Count;)
        {
            size += parts[end++].List.Count;
            if (size < operationSize && end < parts.Count) continue;
            yield return new PartElements(CollectionsMarshal.AsSpan(parts)[start..end].ToArray(), size);
            (start, size) = (end, 0);
        }
    }

    private PendingWrite Addition(PartElements elements) => Operation(elements, transaction => transaction.AddElements(Set, elements.Encoded(codec)));

    private PendingWrite Deletion(PartElements elements) => Operation(elements, transaction => transaction.DeleteElements(Set, elements.Encoded(codec)));

    private PendingWrite Operation(PartElements elements, Func<NftTransaction, NftTransaction> addTo) => new()
    {
        Count = elements.Count,
        AddTo = addTo,
        Acknowledge = () =>
        {
            foreach (var part in elements.Parts)
                if (part.IsLast) Entries.Acknowledge(part.Frontend);
        },
        OwnerOf = i => OwnerOf(elements[i].Frontend),
    };

    /// <summary>Slots of one list that are written by one operation.</summary>
    /// <param name="Frontend">Whose list it is.</param>
    /// <param name="List">The slots.</param>
    /// <param name="IsLast">Whether the kernel has the list as desired after that.</param>
    private readonly record struct Part(FrontendKey Frontend, EndpointList List, bool IsLast);

    /// <summary>The slots of some lists, one after the other.</summary>
    private sealed class PartElements(Part[] parts, int count)
    {
        // Nearly all access is in order, so where the last one was found is where the next one is.
        private int _part;
        private int _start;

        public Part[] Parts => parts;

        public int Count => count;

        public EndpointSlot this[int index] => Find(index).Slot;

        public LazyElements Encoded(IElementCodec<EndpointSlot, IpEndpoint> codec) => new(count, index =>
        {
            var (slot, endpoint) = Find(index);
            return codec.Encode(slot, endpoint);
        });

        private (EndpointSlot Slot, IpEndpoint Endpoint) Find(int index)
        {
            if (index < _start) (_part, _start) = (0, 0);
            while (index - _start >= parts[_part].List.Count) _start += parts[_part++].List.Count;
            var (slot, endpoint) = parts[_part].List[index - _start];
            return (new EndpointSlot(parts[_part].Frontend, slot), endpoint);
        }
    }

    // A dump has the elements in any order, and some of them twice if the kernel's hash table was growing meanwhile.
    private sealed class Adoption(IElementCodec<EndpointSlot, IpEndpoint> codec, Core.Diff.OwnedCollection<FrontendKey, EndpointList, RuleOwner>.Adoption adoption)
        : IElementAdoption
    {
        private readonly Dictionary<FrontendKey, List<(uint, IpEndpoint)>> _lists = [];

        public void Observe(NftElement element)
        {
            if (!codec.TryDecode(element, out var slot, out var endpoint)) return;
            ref var list = ref CollectionsMarshal.GetValueRefOrAddDefault(_lists, slot.Frontend, out _);
            (list ??= []).Add((slot.Index, endpoint));
        }

        public void Restart()
        {
            _lists.Clear();
            adoption.Restart();
        }

        public void Complete()
        {
            foreach (var (frontend, list) in _lists) adoption.Observe(frontend, EndpointList.From(CollectionsMarshal.AsSpan(list)));
            adoption.Complete();
        }
    }
}
