using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Testing;

/// <summary>Named objects and flowtables.</summary>
internal sealed partial class MemoryApply
{
    private Refusal? Add(NftObject item)
    {
        if (!tables.TryGetValue(item.Key.Table, out var table)) return Missing;
        // What is there stays as it is, as in the kernel.
        if (!table.Objects.TryAdd(item.Key, new MemoryObject(item))) return null;
        undo.Push(() => table.Objects.Remove(item.Key));
        return null;
    }

    private Refusal? DeleteObject(NftObjectKey key)
    {
        if (!tables.TryGetValue(key.Table, out var table) || !table.Objects.TryGetValue(key, out var found)) return Missing;
        if (found.Uses > 0) return new Refusal(Errno.Busy);
        table.Objects.Remove(key);
        undo.Push(() => table.Objects.Add(key, found));
        return null;
    }

    private Refusal? Add(NftFlowtable flowtable)
    {
        if (!tables.TryGetValue(flowtable.Key.Table, out var table)) return Missing;
        if (!table.Flowtables.TryAdd(flowtable.Key.Name, flowtable)) return null;
        undo.Push(() => table.Flowtables.Remove(flowtable.Key.Name));
        return null;
    }

    private Refusal? DeleteFlowtable(NftFlowtableKey key)
    {
        if (!tables.TryGetValue(key.Table, out var table) || !table.Flowtables.Remove(key.Name, out var found)) return Missing;
        undo.Push(() => table.Flowtables.Add(key.Name, found));
        return null;
    }

    private void CountObject(MemoryTable table, NftObjectKey key, int change)
    {
        if (!table.Objects.TryGetValue(key, out var found)) return;
        found.Uses += change;
        undo.Push(() => found.Uses -= change);
    }
}
