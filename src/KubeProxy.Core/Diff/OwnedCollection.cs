using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace KubeProxy.Core.Diff;

/// <summary>
/// The desired content of one keyed kernel collection (the elements of a map, the chains of a table, virtual services ...)
/// beside what is known of the kernel, and the difference of the two.
/// <para>
/// Owners claim entries. The same entry claimed by several owners is one entry that stays until the last claim goes. When
/// owners claim one key with different values, the owner that compares lowest wins, the others are in
/// <see cref="Conflicts"/> and take over in turn. The difference covers only keys that changed since it was last
/// acknowledged, so its cost is that of the change and never that of the collection.
/// </para>
/// <para>Not thread-safe: it belongs to one sync loop.</para>
/// </summary>
/// <typeparam name="TKey">What identifies an entry.</typeparam>
/// <typeparam name="TValue">Its value, compared by <see cref="IEquatable{T}"/>.</typeparam>
/// <typeparam name="TOwner">Who claims entries; lower compares as the winner. Compared by reference-independent equality.</typeparam>
public sealed class OwnedCollection<TKey, TValue, TOwner>
    where TKey : notnull, IEquatable<TKey>
    where TValue : IEquatable<TValue>
    where TOwner : class, IComparable<TOwner>, IEquatable<TOwner>
{
    private const int SmallChange = 256;

    private readonly Dictionary<TKey, Entry> _entries = [];
    private readonly Dictionary<TOwner, TKey[]> _keysOfOwner = [];
    private HashSet<TKey> _dirty = [];
    private readonly HashSet<TKey> _contested = [];

    /// <summary>The number of keys that are desired or known to be in the kernel.</summary>
    public int Count => _entries.Count;

    /// <summary>Whether the kernel differs from what is desired, as far as known.</summary>
    public bool HasChanges => _dirty.Count > 0;

    /// <summary>The number of keys in which the kernel differs.</summary>
    public int ChangeCount => _dirty.Count;

    /// <summary>The keys that owners touched or the kernel showed since the start: what the engine cost so far.</summary>
    public long OperationCount { get; private set; }

    /// <summary>The keys that several owners claim with different values, with the winner and the losers in order.</summary>
    public IEnumerable<(TKey Key, TOwner Winner, IReadOnlyList<TOwner> Losers)> Conflicts => _contested.Select(key =>
    {
        var entry = _entries[key];
        return (key, entry.Owner!, (IReadOnlyList<TOwner>)[.. entry.More!.Losers(entry.Value)]);
    });

    /// <summary>Replaces everything that the owner claims. A key that occurs twice keeps its first value.</summary>
    public void Set(TOwner owner, IReadOnlyCollection<KeyValuePair<TKey, TValue>> entries)
    {
        var old = _keysOfOwner.GetValueOrDefault(owner) ?? [];
        if (entries.Count == 0)
        {
            Remove(owner);
            return;
        }

        var keys = new HashSet<TKey>(entries.Count);
        foreach (var (key, value) in entries)
            if (keys.Add(key)) Claim(owner, key, value);
        foreach (var key in old)
            if (!keys.Contains(key)) Unclaim(owner, key);
        _keysOfOwner[owner] = [.. keys];
    }

    /// <summary>Drops everything that the owner claims.</summary>
    public void Remove(TOwner owner)
    {
        if (!_keysOfOwner.Remove(owner, out var keys)) return;
        foreach (var key in keys) Unclaim(owner, key);
    }

    /// <summary>What is desired for a key, and whose claim that is.</summary>
    public bool TryGetDesired(TKey key, [MaybeNullWhen(false)] out TValue value, [MaybeNullWhen(false)] out TOwner owner)
    {
        var found = _entries.TryGetValue(key, out var entry) && entry.Owner is not null;
        (value, owner) = found ? (entry.Value, entry.Owner!) : (default, null);
        return found;
    }

    /// <summary>What is known to be in the kernel for a key.</summary>
    public bool TryGetKernel(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        value = default;
        return _entries.TryGetValue(key, out var entry) && entry.TryGetKernel(out value);
    }

    /// <summary>All keys known to be in the kernel.</summary>
    public IEnumerable<TKey> KernelKeys => _entries.Where(e => e.Value.Kernel != KernelState.Absent).Select(e => e.Key);

    /// <summary>All desired entries.</summary>
    public IEnumerable<KeyValuePair<TKey, TValue>> Desired =>
        _entries.Where(e => e.Value.Owner is not null).Select(e => KeyValuePair.Create(e.Key, e.Value.Value));

    /// <summary>
    /// The difference: what has to be added, replaced and removed for the kernel to have what is desired. Nothing is assumed
    /// to be done before <see cref="Acknowledge"/>.
    /// </summary>
    public Changes<TKey, TValue> Diff()
    {
        var changes = new Changes<TKey, TValue>();
        foreach (var key in _dirty)
        {
            var entry = _entries[key];
            if (entry.Owner is null) changes.Removed.Add(key);
            else if (entry.Kernel == KernelState.Absent) changes.Added.Add(KeyValuePair.Create(key, entry.Value));
            else changes.Replaced.Add(KeyValuePair.Create(key, entry.Value));
        }

        return changes;
    }

    /// <summary>Notes that the kernel now has what is desired for the key.</summary>
    public void Acknowledge(TKey key)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, key);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref entry)) return;
        if (entry.Owner is null) _entries.Remove(key);
        else entry.SetKernel(KernelState.AsDesired, default);
        _dirty.Remove(key);
        // Looking through a set costs what it once held, so the one of the first sync must not stay.
        if (_dirty.Count == 0 && _dirty.Capacity > SmallChange) _dirty = [];
    }

    /// <summary>Notes that the kernel has taken the whole difference.</summary>
    public void AcknowledgeAll()
    {
        foreach (var key in _dirty.ToArray()) Acknowledge(key);
    }

    /// <summary>Begins to take over a dump of the kernel's collection: call <see cref="Adoption.Observe"/> for each entry.</summary>
    public Adoption BeginAdoption() => new(this);

    /// <summary>Notes that the kernel's collection is empty, for example because it was deleted.</summary>
    public void AdoptNothing() => BeginAdoption().Complete();

    /// <summary>Takes over a dump of the kernel, entry by entry, without holding it all.</summary>
    public sealed class Adoption
    {
        private readonly OwnedCollection<TKey, TValue, TOwner> _collection;
        private readonly HashSet<TKey> _seen = [];

        internal Adoption(OwnedCollection<TKey, TValue, TOwner> collection) => _collection = collection;

        /// <summary>Forgets what was observed so far: the dump starts again.</summary>
        public void Restart() => _seen.Clear();

        /// <summary>Notes that the kernel has this entry.</summary>
        public void Observe(TKey key, TValue value)
        {
            _seen.Add(key);
            _collection.SetKernel(key, KernelState.Different, value);
        }

        /// <summary>Ends the dump: what was not observed is not in the kernel.</summary>
        public void Complete()
        {
            if (_seen.Count == _collection._entries.Count) return;
            foreach (var key in _collection._entries.Keys.ToArray())
                if (!_seen.Contains(key)) _collection.SetKernel(key, KernelState.Absent, default);
        }
    }

    private void Claim(TOwner owner, TKey key, TValue value)
    {
        OperationCount++;
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, key, out _);
        if (entry.Owner is null || (entry.Owner.Equals(owner) && entry.More?.Claims is null))
        {
            SetDesired(ref entry, key, owner, value);
            return;
        }

        var claims = (entry.More ??= new Extra()).Claims ??= [(entry.Owner, entry.Value)];
        claims.RemoveAll(c => c.Owner.Equals(owner));
        var at = claims.FindIndex(c => owner.CompareTo(c.Owner) < 0);
        claims.Insert(at < 0 ? claims.Count : at, (owner, value));
        SetDesired(ref entry, key, claims[0].Owner, claims[0].Value);
        TrackContest(ref entry, key);
    }

    private void Unclaim(TOwner owner, TKey key)
    {
        OperationCount++;
        ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, key);
        if (entry.More?.Claims is not { } claims)
        {
            SetDesired(ref entry, key, null, default!);
            return;
        }

        claims.RemoveAll(c => c.Owner.Equals(owner));
        SetDesired(ref entry, key, claims[0].Owner, claims[0].Value);
        if (claims.Count == 1) entry.More!.Claims = null;
        TrackContest(ref entry, key);
    }

    private void SetDesired(ref Entry entry, TKey key, TOwner? owner, TValue value)
    {
        entry.TryGetKernel(out var kernel);
        var present = entry.Kernel != KernelState.Absent;
        (entry.Owner, entry.Value) = (owner, value);
        Reconcile(ref entry, key, present, kernel);
    }

    private void SetKernel(TKey key, KernelState state, TValue? value)
    {
        OperationCount++;
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, key, out _);
        Reconcile(ref entry, key, state != KernelState.Absent, value);
    }

    // Restores the invariant: the kernel's value is stored only where it differs, and dirty keys are those that differ.
    private void Reconcile(ref Entry entry, TKey key, bool present, TValue? kernel)
    {
        if (entry.Owner is null && !present)
        {
            _entries.Remove(key);
            _dirty.Remove(key);
            return;
        }

        var same = present && entry.Owner is not null && entry.Value.Equals(kernel!);
        entry.SetKernel(same ? KernelState.AsDesired : present ? KernelState.Different : KernelState.Absent, kernel);
        if (same) _dirty.Remove(key);
        else _dirty.Add(key);
    }

    private void TrackContest(ref Entry entry, TKey key)
    {
        if (entry.More is { Claims: not null } more && more.Losers(entry.Value).Any()) _contested.Add(key);
        else _contested.Remove(key);
    }

    private enum KernelState : byte
    {
        Absent,
        AsDesired,
        Different,
    }

    // One owner and a kernel that is as desired is the rule; everything else is kept apart, so that the rule stays small.
    private struct Entry
    {
        public TOwner? Owner;
        public TValue Value;
        public Extra? More;

        public KernelState Kernel { get; private set; }

        public readonly bool TryGetKernel([MaybeNullWhen(false)] out TValue value)
        {
            value = Kernel switch { KernelState.AsDesired => Value, KernelState.Different => More!.Kernel!, _ => default };
            return Kernel != KernelState.Absent;
        }

        public void SetKernel(KernelState state, TValue? value)
        {
            Kernel = state;
            if (state == KernelState.Different) (More ??= new Extra()).Kernel = value;
            else if (More is { Claims: null }) More = null;
        }
    }

    private sealed class Extra
    {
        public List<(TOwner Owner, TValue Value)>? Claims;
        public TValue? Kernel;

        public IEnumerable<TOwner> Losers(TValue winning) =>
            Claims is null ? [] : Claims.Where(c => !c.Value.Equals(winning)).Select(c => c.Owner);
    }
}

/// <summary>What has to be done to a kernel collection. The three lists are disjoint.</summary>
public sealed class Changes<TKey, TValue>
    where TKey : notnull
{
    /// <summary>Entries to add.</summary>
    public List<KeyValuePair<TKey, TValue>> Added { get; } = [];

    /// <summary>Entries that are there with another value.</summary>
    public List<KeyValuePair<TKey, TValue>> Replaced { get; } = [];

    /// <summary>Keys to remove.</summary>
    public List<TKey> Removed { get; } = [];

    /// <summary>The number of changes.</summary>
    public int Count => Added.Count + Replaced.Count + Removed.Count;
}
