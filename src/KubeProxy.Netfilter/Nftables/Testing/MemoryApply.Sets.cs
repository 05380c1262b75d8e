using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Validation;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Testing;

/// <summary>Sets, elements and references.</summary>
internal sealed partial class MemoryApply
{
    private Refusal? Add(NftSet set)
    {
        if (!tables.TryGetValue(set.Key.Table, out var table)) return Missing;
        if (table.Sets.TryGetValue(set.Key.Name, out var existing))
            return SameShape(existing.Set, set) ? null : new Refusal(Errno.Exists);
        table.Sets.Add(set.Key.Name, new MemorySet(set));
        undo.Push(() => table.Sets.Remove(set.Key.Name));
        return null;
    }

    private Refusal? DeleteSet(NftSetKey key)
    {
        if (Find(key) is not ({ } table, { } set)) return Missing;
        if (set.Uses > 0) return new Refusal(Errno.Busy);
        foreach (var element in set.Elements.Values) Count(table, element.Verdict, -1);
        table.Sets.Remove(key.Name);
        undo.Push(() => table.Sets.Add(key.Name, set));
        return null;
    }

    private Refusal? FlushSet(NftSetKey key)
    {
        if (Find(key) is not ({ } table, { } set)) return Missing;
        foreach (var element in set.Elements.Values) Count(table, element.Verdict, -1);
        var elements = set.Elements.ToArray();
        set.Elements.Clear();
        undo.Push(() =>
        {
            foreach (var (key, element) in elements) set.Elements.Add(key, element);
        });
        return null;
    }

    private Refusal? AddElements(NftOperation.AddElements add)
    {
        if (Find(add.Set.Key) is not ({ } table, { } set)) return Missing;
        if (!SameShape(set.Set, add.Set)) return new Refusal(Errno.InvalidArgument, null, "the set has another type");
        for (var i = 0; i < add.Elements.Count; i++)
        {
            if (refuse?.Invoke(add, add.Elements[i]) is { } errno and not 0) return new Refusal(errno, i, "injected");
            if (AddElement(table, set, set.Canonical(add.Elements[i])) is { } refusal) return refusal with { Element = i };
        }

        return null;
    }

    private Refusal? AddElement(MemoryTable table, MemorySet set, NftElement element)
    {
        if (element.Verdict is { } verdict && CheckTarget(table, verdict) is { } refusal) return refusal;
        var key = (element.Key, element.KeyEnd);
        if (set.Elements.TryGetValue(key, out var existing))
            return existing.Data == element.Data && existing.Verdict == element.Verdict ? null : new Refusal(Errno.Exists);
        if (set.IsInterval && set.Elements.Values.Any(other => NftIntervals.Overlap(NftSetFormats.OfKey(set.Set), other, element)))
            return new Refusal(Errno.Exists);
        if (set.Set.Size is { } size && set.Elements.Count >= size) return new Refusal(NftErrno.Enfile);
        set.Elements.Add(key, element);
        undo.Push(() => set.Elements.Remove(key));
        Count(table, element.Verdict, +1);
        return null;
    }

    private Refusal? DeleteElements(NftOperation.DeleteElements delete)
    {
        if (Find(delete.Set.Key) is not ({ } table, { } set)) return Missing;
        for (var i = 0; i < delete.Elements.Count; i++)
        {
            if (refuse?.Invoke(delete, delete.Elements[i]) is { } errno and not 0) return new Refusal(errno, i, "injected");
            var canonical = set.Canonical(delete.Elements[i]);
            var key = (canonical.Key, canonical.KeyEnd);
            if (!set.Elements.Remove(key, out var element)) return new Refusal(Errno.NoSuchEntry, i);
            undo.Push(() => set.Elements.Add(key, element));
            Count(table, element.Verdict, -1);
        }

        return null;
    }

    /// <summary>What the kernel compares when a set is added that exists.</summary>
    private static bool SameShape(NftSet a, NftSet b) => a.Kind == b.Kind && a.Flags == b.Flags
        && a.KeyType.AsSpan().SequenceEqual(b.KeyType.AsSpan()) && a.DataType.AsSpan().SequenceEqual(b.DataType.AsSpan());

    private static Refusal? CheckTarget(MemoryTable table, NftVerdict verdict)
    {
        if (verdict.Chain is not { } name) return null;
        if (!table.Chains.TryGetValue(name, out var chain)) return Missing;
        return chain.Chain.Base is null ? null : new Refusal(Errno.NotSupported, null, "a base chain cannot be jumped to");
    }

    private void Count(MemoryTable table, NftRule rule, int change)
    {
        foreach (var verdict in NftReferences.Verdicts(rule)) Count(table, verdict, change);
        foreach (var (kind, name) in NftReferences.Objects(rule)) CountObject(table, new NftObjectKey(table.Table.Key, kind, name), change);
        foreach (var name in NftReferences.Sets(rule))
        {
            var set = table.Sets[name];
            set.Uses += change;
            undo.Push(() => set.Uses -= change);
        }
    }

    private void Count(MemoryTable table, NftVerdict? verdict, int change)
    {
        if (verdict?.Chain is not { } name) return;
        var chain = table.Chains[name];
        chain.Uses += change;
        undo.Push(() => chain.Uses -= change);
    }

    private (MemoryTable? Table, MemorySet? Set) Find(NftSetKey key) =>
        tables.TryGetValue(key.Table, out var table) && table.Sets.TryGetValue(key.Name, out var set) ? (table, set) : (null, null);
}
