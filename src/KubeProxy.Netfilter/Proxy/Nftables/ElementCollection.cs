using KubeProxy.Core.Diff;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>One shared set or map: what it should hold, what the kernel has, and how to write the difference.</summary>
/// <param name="set">The set.</param>
/// <param name="staged">Where the collection enters itself when something is staged.</param>
internal abstract class ElementCollection(NftSet set, List<ElementCollection> staged)
{
    public NftSet Set { get; } = set;

    public abstract bool HasChanges { get; }

    public abstract int ChangeCount { get; }

    /// <summary>Replaces what the owner wants by what was staged for it since the last call.</summary>
    public abstract void Commit(RuleOwner owner);

    public abstract void Remove(RuleOwner owner);

    /// <summary>The operations that make the kernel as desired: deletions to one list, additions to the other.</summary>
    public abstract void Write(List<PendingWrite> deletions, List<PendingWrite> additions, int operationSize);

    /// <summary>Takes over what the kernel has.</summary>
    public abstract IElementAdoption BeginAdoption();

    protected void NoteStaged() => staged.Add(this);

    /// <summary>The number of elements that are desired or known to be in the kernel.</summary>
    public abstract int Count { get; }
}

/// <summary>A dump of one set being taken over.</summary>
internal interface IElementAdoption
{
    void Observe(NftElement element);

    void Restart();

    void Complete();
}

/// <inheritdoc cref="ElementCollection"/>
internal sealed class ElementCollection<TKey, TValue>(NftSet set, IElementCodec<TKey, TValue> codec, List<ElementCollection> staged)
    : ElementCollection(set, staged)
    where TKey : notnull, IEquatable<TKey>
    where TValue : IEquatable<TValue>
{
    private readonly OwnedCollection<TKey, TValue, RuleOwner> _entries = new();
    private readonly List<KeyValuePair<TKey, TValue>> _staged = [];

    public override bool HasChanges => _entries.HasChanges;

    public override int ChangeCount => _entries.ChangeCount;

    public override int Count => _entries.Count;

    public void Stage(TKey key, TValue value)
    {
        if (_staged.Count == 0) NoteStaged();
        _staged.Add(KeyValuePair.Create(key, value));
    }

    public override void Commit(RuleOwner owner)
    {
        _entries.Set(owner, _staged);
        _staged.Clear();
    }

    public override void Remove(RuleOwner owner) => _entries.Remove(owner);

    /// <summary>What stands at the key: the owner's own wish, or else what the kernel has.</summary>
    public bool TryGetCurrent(RuleOwner owner, TKey key, out TValue value) => _entries.TryGetCurrent(owner, key, out value!);

    public override void Write(List<PendingWrite> deletions, List<PendingWrite> additions, int operationSize)
    {
        if (!HasChanges) return;
        var changes = _entries.Diff();
        // The data of an element cannot be changed: it is deleted and added in the same transaction.
        foreach (var keys in changes.Removed.Chunk(operationSize)) deletions.Add(Deletion(keys, acknowledge: true));
        foreach (var entries in changes.Replaced.Chunk(operationSize))
            deletions.Add(Deletion([.. entries.Select(e => e.Key)], acknowledge: false));
        foreach (var entries in changes.Replaced.Chunk(operationSize)) additions.Add(Addition(entries));
        foreach (var entries in changes.Added.Chunk(operationSize)) additions.Add(Addition(entries));
    }

    public override IElementAdoption BeginAdoption() => new Adoption(this);

    private PendingWrite Addition(KeyValuePair<TKey, TValue>[] entries) => new()
    {
        Count = entries.Length,
        AddTo = transaction => transaction.AddElements(Set, new LazyElements(entries.Length, i => codec.Encode(entries[i].Key, entries[i].Value))),
        Acknowledge = () =>
        {
            foreach (var (key, _) in entries) _entries.Acknowledge(key);
        },
        OwnerOf = i => OwnerOf(entries[i].Key),
    };

    private PendingWrite Deletion(TKey[] keys, bool acknowledge) => new()
    {
        Count = keys.Length,
        AddTo = transaction => transaction.DeleteElements(Set, new LazyElements(keys.Length, i => codec.Encode(keys[i], ValueOf(keys[i])))),
        Acknowledge = () =>
        {
            if (!acknowledge) return;
            foreach (var key in keys) _entries.Acknowledge(key);
        },
        OwnerOf = i => OwnerOf(keys[i]),
    };

    private TValue ValueOf(TKey key) => _entries.TryGetKernel(key, out var value) ? value : default!;

    private RuleOwner? OwnerOf(TKey key) => _entries.TryGetDesired(key, out _, out var owner) ? owner : null;

    private sealed class Adoption(ElementCollection<TKey, TValue> collection) : IElementAdoption
    {
        private readonly OwnedCollection<TKey, TValue, RuleOwner>.Adoption _adoption = collection._entries.BeginAdoption();

        // The types of the set are ours, so whatever does not decode cannot be an element of it.
        public void Observe(NftElement element)
        {
            if (collection.Codec.TryDecode(element, out var key, out var value)) _adoption.Observe(key, value);
        }

        public void Restart() => _adoption.Restart();

        public void Complete() => _adoption.Complete();
    }

    private IElementCodec<TKey, TValue> Codec => codec;

    // Elements are encoded when they are sent, so that a cold start does not hold all of them at once.
    private sealed class LazyElements(int count, Func<int, NftElement> element) : IReadOnlyList<NftElement>
    {
        public int Count => count;

        public NftElement this[int index] => element(index);

        public IEnumerator<NftElement> GetEnumerator()
        {
            for (var i = 0; i < count; i++) yield return element(i);
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
