using System.Runtime.InteropServices;
using KubeProxy.Core.Diff;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Table;

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

/// <summary>A set or map whose content service ports and the base layout own in parts.</summary>
internal abstract class OwnedElements<TKey, TValue>(NftSet set, List<ElementCollection> staged) : ElementCollection(set, staged)
    where TKey : notnull, IEquatable<TKey>
    where TValue : IEquatable<TValue>
{
    private readonly List<KeyValuePair<TKey, TValue>> _staged = [];

    public override bool HasChanges => Entries.HasChanges;

    public override int ChangeCount => Entries.ChangeCount;

    public override int Count => Entries.Count;

    /// <summary>Who wants elements.</summary>
    public IEnumerable<RuleOwner> Owners => Entries.Owners;

    /// <summary>Whether the kernel is known to have elements.</summary>
    public bool IsInKernel => Entries.KernelKeys.Any();

    protected OwnedCollection<TKey, TValue, RuleOwner> Entries { get; } = new();

    public void Stage(TKey key, TValue value)
    {
        if (_staged.Count == 0) NoteStaged();
        _staged.Add(KeyValuePair.Create(key, value));
    }

    /// <summary>That many owners are about to want an element.</summary>
    public void Expect(int owners) => Entries.EnsureCapacity(owners);

    public override void Commit(RuleOwner owner)
    {
        Entries.Set(owner, CollectionsMarshal.AsSpan(_staged));
        _staged.Clear();
    }

    public override void Remove(RuleOwner owner) => Entries.Remove(owner);

    /// <summary>What stands at the key: the owner's own wish, or else what the kernel has.</summary>
    public bool TryGetCurrent(RuleOwner owner, TKey key, out TValue value) => Entries.TryGetCurrent(owner, key, out value!);

    /// <summary>Whether there is an element with the key, desired or in the kernel.</summary>
    public bool Contains(TKey key) => Entries.TryGetDesired(key, out _, out _) || Entries.TryGetKernel(key, out _);

    /// <summary>Whether somebody wants an element with the key.</summary>
    public bool IsWanted(TKey key) => Entries.TryGetDesired(key, out _, out _);

    /// <summary>Whether somebody else wants an element with the key.</summary>
    public bool IsOfAnother(RuleOwner owner, TKey key) => Entries.TryGetDesired(key, out _, out var other) && !other.Equals(owner);

    /// <summary>The keys that the kernel is known to have.</summary>
    public IEnumerable<TKey> KernelKeys => Entries.KernelKeys;

    protected RuleOwner? OwnerOf(TKey key) => Entries.TryGetDesired(key, out _, out var owner) ? owner : null;

    /// <summary>Elements that are encoded when they are sent, so that a cold start does not hold all of them at once.</summary>
    protected sealed class LazyElements(int count, Func<int, NftElement> element) : IReadOnlyList<NftElement>
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

/// <summary>A set or map with one element for each entry.</summary>
internal sealed class ElementCollection<TKey, TValue>(NftSet set, IElementCodec<TKey, TValue> codec, List<ElementCollection> staged)
    : OwnedElements<TKey, TValue>(set, staged)
    where TKey : notnull, IEquatable<TKey>
    where TValue : IEquatable<TValue>
{
    public override void Write(List<PendingWrite> deletions, List<PendingWrite> additions, int operationSize)
    {
        if (!HasChanges) return;
        var changes = Entries.Diff();
        // The data of an element cannot be changed: it is deleted and added in the same transaction.
        foreach (var keys in changes.Removed.Chunk(operationSize)) deletions.Add(Deletion(keys, acknowledge: true));
        foreach (var entries in changes.Replaced.Chunk(operationSize))
            deletions.Add(Deletion([.. entries.Select(e => e.Key)], acknowledge: false));
        foreach (var entries in changes.Replaced.Chunk(operationSize)) additions.Add(Addition(entries));
        foreach (var entries in changes.Added.Chunk(operationSize)) additions.Add(Addition(entries));
    }

    public override IElementAdoption BeginAdoption() => new Adoption(codec, Entries.BeginAdoption());

    private PendingWrite Addition(KeyValuePair<TKey, TValue>[] entries) => new()
    {
        Count = entries.Length,
        AddTo = transaction => transaction.AddElements(Set, new LazyElements(entries.Length, i => codec.Encode(entries[i].Key, entries[i].Value))),
        Acknowledge = () =>
        {
            foreach (var (key, _) in entries) Entries.Acknowledge(key);
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
            foreach (var key in keys) Entries.Acknowledge(key);
        },
        OwnerOf = i => OwnerOf(keys[i]),
    };

    private TValue ValueOf(TKey key) => Entries.TryGetKernel(key, out var value) ? value : default!;

    private sealed class Adoption(IElementCodec<TKey, TValue> codec, OwnedCollection<TKey, TValue, RuleOwner>.Adoption adoption) : IElementAdoption
    {
        // The types of the set are ours, so whatever does not decode cannot be an element of it.
        public void Observe(NftElement element)
        {
            if (codec.TryDecode(element, out var key, out var value)) adoption.Observe(key, value);
        }

        public void Restart() => adoption.Restart();

        public void Complete() => adoption.Complete();
    }
}
