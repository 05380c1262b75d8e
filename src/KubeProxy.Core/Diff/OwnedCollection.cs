using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
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
    private readonly Dictionary<TOwner, Keys> _keysOfOwner = [];
    private readonly HashSet<TKey> _contested = [];

    // The keys that may differ: those that do, once or more often, and others that did. A list costs a fraction of a set, and
    // what is in it too much is found out when it is read.
    private List<TKey> _touched = [];
    private ulong _touchedRound = 1;
    private ulong _pass;

    /// <summary>The number of keys that are desired or known to be in the kernel.</summary>
    public int Count => _entries.Count;

    /// <summary>Whether the kernel differs from what is desired, as far as known.</summary>
    public bool HasChanges => ChangeCount > 0;

    /// <summary>The number of keys in which the kernel differs.</summary>
    public int ChangeCount { get; private set; }

    /// <summary>The keys that owners touched or the kernel showed since the start: what the engine cost so far.</summary>
    public long OperationCount { get; private set; }

    /// <summary>The keys that several owners claim with different values, with the winner and the losers in order.</summary>
    public IEnumerable<(TKey Key, TOwner Winner, IReadOnlyList<TOwner> Losers)> Conflicts => _contested.Select(key =>
    {
        var entry = _entries[key];
        return (key, entry.Owner!, (IReadOnlyList<TOwner>)[.. entry.More!.Claims!.Losers]);
    });

    /// <summary>Makes room for that many owners with one entry each, at once and not step by step.</summary>
    public void EnsureCapacity(int owners)
    {
        _entries.EnsureCapacity(owners);
        _keysOfOwner.EnsureCapacity(owners);
        _touched.EnsureCapacity(owners);
    }

    /// <summary>Replaces everything that the owner claims. A key that occurs twice keeps its first value.</summary>
    public void Set(TOwner owner, ReadOnlySpan<KeyValuePair<TKey, TValue>> entries)
    {
        if (entries.IsEmpty)
        {
            Remove(owner);
            return;
        }

        var pass = NextPass();
        ref var current = ref CollectionsMarshal.GetValueRefOrAddDefault(_keysOfOwner, owner, out var isKnown);
        var before = current;
        current = Claim(owner, entries, pass, !isKnown);
        if (isKnown) Unclaim(owner, before, exceptPass: pass);
    }

    /// <summary>Drops everything that the owner claims.</summary>
    public void Remove(TOwner owner)
    {
        if (_keysOfOwner.Remove(owner, out var keys)) Unclaim(owner, keys, exceptPass: 0);
    }

    /// <summary>What is desired for a key, and whose claim that is.</summary>
    public bool TryGetDesired(TKey key, [MaybeNullWhen(false)] out TValue value, [MaybeNullWhen(false)] out TOwner owner)
    {
        var found = _entries.TryGetValue(key, out var entry) && entry.Owner is not null;
        (value, owner) = found ? (entry.Value, entry.Owner!) : (default, null);
        return found;
    }

    /// <summary>What the owner wants at a key, if its claim is in force, or else what the kernel is known to have there.</summary>
    public bool TryGetCurrent(TOwner owner, TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        value = default;
        ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, key);
        if (Unsafe.IsNullRef(ref entry)) return false;
        if (entry.Owner is null || !entry.Owner.Equals(owner)) return entry.TryGetKernel(out value);
        value = entry.Value;
        return true;
    }

    /// <summary>What is known to be in the kernel for a key.</summary>
    public bool TryGetKernel(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        value = default;
        return _entries.TryGetValue(key, out var entry) && entry.TryGetKernel(out value);
    }

    /// <summary>All who claim something.</summary>
    public IEnumerable<TOwner> Owners => _keysOfOwner.Keys;

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
        if (!HasChanges) return changes;
        // When everything differs, the kernel has nothing yet.
        if (ChangeCount == _entries.Count) changes.Added.EnsureCapacity(ChangeCount);
        var (pass, kept) = (NextPass(), 0);
        for (var i = 0; i < _touched.Count; i++)
        {
            var key = _touched[i];
            ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, key);
            if (Unsafe.IsNullRef(ref entry) || !entry.TryMark(pass)) continue;
            if (!entry.Differs)
            {
                entry.TouchedRound = 0;
                continue;
            }

            _touched[kept++] = key;
            if (entry.Owner is null) changes.Removed.Add(key);
            else if (entry.Kernel == KernelState.Absent) changes.Added.Add(KeyValuePair.Create(key, entry.Value));
            else changes.Replaced.Add(KeyValuePair.Create(key, entry.Value));
        }

        _touched.RemoveRange(kept, _touched.Count - kept);
        return changes;
    }

    /// <summary>Notes that the kernel now has what is desired for the key.</summary>
    public void Acknowledge(TKey key)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, key);
        if (Unsafe.IsNullRef(ref entry)) return;
        if (entry.Differs) ChangeCount--;
        if (entry.Owner is null) _entries.Remove(key);
        else entry.SetKernel(KernelState.AsDesired, default);
        if (ChangeCount == 0) ForgetTouched();
    }

    /// <summary>Notes that the kernel has taken the whole difference.</summary>
    public void AcknowledgeAll()
    {
        foreach (var key in _touched.ToArray()) Acknowledge(key);
    }

    /// <summary>Notes what the kernel has at a key, whatever is desired there.</summary>
    public void NoteKernel(TKey key, TValue value) => SetKernel(key, KernelState.Different, value, NextPass());

    /// <summary>Notes that the kernel has nothing at a key, whatever is desired there.</summary>
    public void NoteAbsent(TKey key) => SetKernel(key, KernelState.Absent, default, NextPass());

    /// <summary>Begins to take over a dump of the kernel's collection: call <see cref="Adoption.Observe"/> for each entry.</summary>
    public Adoption BeginAdoption() => new(this);

    /// <summary>Notes that the kernel's collection is empty, for example because it was deleted.</summary>
    public void AdoptNothing() => BeginAdoption().Complete();

    /// <summary>Takes over a dump of the kernel, entry by entry, without holding it all.</summary>
    public sealed class Adoption
    {
        private readonly OwnedCollection<TKey, TValue, TOwner> _collection;
        private ulong _pass;
        private int _seen;

        internal Adoption(OwnedCollection<TKey, TValue, TOwner> collection) => (_collection, _pass) = (collection, collection.NextPass());

        /// <summary>Forgets what was observed so far: the dump starts again.</summary>
        public void Restart() => (_pass, _seen) = (_collection.NextPass(), 0);

        /// <summary>Notes that the kernel has this entry.</summary>
        public void Observe(TKey key, TValue value)
        {
            if (_collection.SetKernel(key, KernelState.Different, value, _pass)) _seen++;
        }

        /// <summary>Ends the dump: what was not observed is not in the kernel.</summary>
        public void Complete()
        {
            if (_seen == _collection._entries.Count) return;
            var missing = _collection._entries.Where(entry => entry.Value.Pass != _pass).Select(entry => entry.Key).ToArray();
            foreach (var key in missing) _collection.SetKernel(key, KernelState.Absent, default, _pass);
        }
    }

    private Keys Claim(TOwner owner, ReadOnlySpan<KeyValuePair<TKey, TValue>> entries, ulong pass, bool isNewOwner)
    {
        Claim(owner, entries[0].Key, entries[0].Value, pass, isNewOwner);
        if (entries.Length == 1) return new Keys(entries[0].Key, []);
        var (rest, count) = (new TKey[entries.Length - 1], 0);
        foreach (var (key, value) in entries[1..])
            if (Claim(owner, key, value, pass, isNewOwner)) rest[count++] = key;
        if (count < rest.Length) Array.Resize(ref rest, count);
        return new Keys(entries[0].Key, rest);
    }

    // False when the owner has claimed the key in this pass already.
    private bool Claim(TOwner owner, TKey key, TValue value, ulong pass, bool isNewOwner)
    {
        OperationCount++;
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, key, out _);
        if (!entry.TryMark(pass)) return false;
        if (entry.Owner is null || (entry.Owner.Equals(owner) && entry.More?.Claims is null))
        {
            SetDesired(ref entry, key, owner, value);
            return true;
        }

        var claims = (entry.More ??= new Extra()).Claims ??= new OwnerClaims<TValue, TOwner>(entry.Owner, entry.Value);
        if (!isNewOwner) claims.Remove(owner);
        claims.Add(owner, value);
        SetDesired(ref entry, key, claims.Winner.Owner, claims.Winner.Value);
        // As long as all agree, only the new one can disagree.
        if (_contested.Contains(key) || !claims.AgreeWith(value)) TrackContest(claims, key);
        return true;
    }

    private void Unclaim(TOwner owner, in Keys keys, ulong exceptPass)
    {
        Unclaim(owner, keys.First, exceptPass);
        foreach (var key in keys.Rest) Unclaim(owner, key, exceptPass);
    }

    private void Unclaim(TOwner owner, TKey key, ulong exceptPass)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, key);
        if (exceptPass > 0 && entry.Pass == exceptPass) return;
        OperationCount++;
        if (entry.More?.Claims is not { } claims)
        {
            SetDesired(ref entry, key, null, default!);
            return;
        }

        claims.Remove(owner);
        SetDesired(ref entry, key, claims.Winner.Owner, claims.Winner.Value);
        if (claims.Count == 1) entry.More!.Claims = null;
        if (_contested.Contains(key)) TrackContest(claims, key);
    }

    private void SetDesired(ref Entry entry, TKey key, TOwner? owner, TValue value)
    {
        var differed = entry.Differs;
        entry.TryGetKernel(out var kernel);
        var present = entry.Kernel != KernelState.Absent;
        (entry.Owner, entry.Value) = (owner, value);
        Reconcile(ref entry, key, differed, present, kernel);
    }

    // False when the key was marked in this pass already.
    private bool SetKernel(TKey key, KernelState state, TValue? value, ulong pass)
    {
        OperationCount++;
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, key, out _);
        var isNew = entry.TryMark(pass);
        Reconcile(ref entry, key, entry.Differs, state != KernelState.Absent, value);
        return isNew;
    }

    // Restores the invariant: the kernel's value is stored only where it differs, and the keys that differ are in the list.
    private void Reconcile(ref Entry entry, TKey key, bool differed, bool present, TValue? kernel)
    {
        if (differed) ChangeCount--;
        if (entry.Owner is null && !present)
        {
            _entries.Remove(key);
            if (ChangeCount == 0) ForgetTouched();
            return;
        }

        var same = present && entry.Owner is not null && entry.Value.Equals(kernel!);
        entry.SetKernel(same ? KernelState.AsDesired : present ? KernelState.Different : KernelState.Absent, kernel);
        if (same)
        {
            if (ChangeCount == 0) ForgetTouched();
            return;
        }

        ChangeCount++;
        if (entry.TouchedRound == _touchedRound) return;
        entry.TouchedRound = _touchedRound;
        _touched.Add(key);
    }

    // With another round no entry is in the list, without a visit to each.
    private void ForgetTouched()
    {
        if (_touched.Count == 0) return;
        _touchedRound++;
        // The list of the first sync must not stay.
        if (_touched.Capacity > SmallChange) _touched = [];
        else _touched.Clear();
    }

    private ulong NextPass() => ++_pass;

    private void TrackContest(OwnerClaims<TValue, TOwner> claims, TKey key)
    {
        if (claims.Losers.Any()) _contested.Add(key);
        else _contested.Remove(key);
    }

    // Most owners have one key in a collection.
    private readonly record struct Keys(TKey First, TKey[] Rest);

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

        /// <summary>The last pass over entries that came by.</summary>
        public ulong Pass;

        /// <summary>The round in which the key was put into the list of those that may differ.</summary>
        public ulong TouchedRound;

        public KernelState Kernel { get; private set; }

        public readonly bool Differs => Owner is null ? Kernel != KernelState.Absent : Kernel != KernelState.AsDesired;

        /// <summary>False when the pass came by before.</summary>
        public bool TryMark(ulong pass)
        {
            if (Pass == pass) return false;
            Pass = pass;
            return true;
        }

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
        public OwnerClaims<TValue, TOwner>? Claims;
        public TValue? Kernel;
    }
}
