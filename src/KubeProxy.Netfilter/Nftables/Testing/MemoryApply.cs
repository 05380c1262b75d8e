using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Validation;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Testing;

/// <summary>
/// Applies the operations of one transaction in place, each with an action that undoes it. Goes on after a refusal, as the
/// kernel does, so that every refusal is reported.
/// </summary>
internal sealed partial class MemoryApply(
    Dictionary<NftTableKey, MemoryTable> tables, Stack<Action> undo, Func<NftOperation, NftElement?, int>? refuse, Func<ulong> nextHandle,
    long? maxJumps)
{
    public void Apply(NftTransaction transaction, List<NftFailure> failures)
    {
        for (var i = 0; i < transaction.Operations.Count; i++)
        {
            var operation = transaction.Operations[i];
            if (Apply(operation) is { } refusal)
                failures.Add(NftFailures.Of(i, refusal.Element, refusal.Errno, refusal.Message, operation));
        }

        if (failures.Count == 0 && MemoryJumps.Check(tables.Values, maxJumps) is { } errno) failures.Add(NftFailures.OfBatch(errno, NftMissingFeature.Explain(errno)));
    }

    private Refusal? Apply(NftOperation operation)
    {
        if (refuse?.Invoke(operation, null) is { } errno and not 0) return new Refusal(errno, null, "injected");
        return operation switch
        {
            NftOperation.AddTable add => Add(add.Table),
            NftOperation.DeleteTable delete => DeleteTable(delete.Table),
            NftOperation.AddChain add => Add(add.Chain),
            NftOperation.DeleteChain delete => DeleteChain(delete.Chain),
            NftOperation.FlushChain flush => FlushChain(flush.Chain),
            NftOperation.AddSet add => Add(add.Set),
            NftOperation.DeleteSet delete => DeleteSet(delete.Set),
            NftOperation.FlushSet flush => FlushSet(flush.Set),
            NftOperation.AddRule add => PutRule(add.Chain, add.Rule, chain => chain.Rules.Count),
            NftOperation.InsertRule insert => PutRule(insert.Chain, insert.Rule, chain => IndexOf(chain, insert.Before)),
            NftOperation.DeleteRule delete => DeleteRule(delete.Chain, delete.Handle),
            NftOperation.AddObject add => Add(add.Object),
            NftOperation.DeleteObject delete => DeleteObject(delete.Object),
            NftOperation.AddFlowtable add => Add(add.Flowtable),
            NftOperation.DeleteFlowtable delete => DeleteFlowtable(delete.Flowtable),
            NftOperation.AddElements add => AddElements(add),
            NftOperation.DeleteElements delete => DeleteElements(delete),
            _ => new Refusal(Errno.NotSupported),
        };
    }

    private Refusal? Add(NftTable table)
    {
        if (tables.TryGetValue(table.Key, out var existing))
        {
            var before = existing.Table;
            existing.Table = before with { Flags = table.Flags };
            undo.Push(() => existing.Table = before);
            return null;
        }

        tables.Add(table.Key, new MemoryTable(table));
        undo.Push(() => tables.Remove(table.Key));
        return null;
    }

    private Refusal? DeleteTable(NftTableKey key)
    {
        if (!tables.Remove(key, out var table)) return Missing;
        undo.Push(() => tables.Add(key, table));
        return null;
    }

    private Refusal? Add(NftChain chain)
    {
        if (!tables.TryGetValue(chain.Key.Table, out var table)) return Missing;
        if (table.Chains.TryGetValue(chain.Key.Name, out var existing)) return Update(existing, chain);
        table.Chains.Add(chain.Key.Name, new MemoryChain(chain));
        undo.Push(() => table.Chains.Remove(chain.Key.Name));
        return null;
    }

    private Refusal? Update(MemoryChain existing, NftChain chain)
    {
        if (chain.Base is not { } hook) return null;
        var before = existing.Chain;
        if (before.Base is not { } old || old with { DropByDefault = hook.DropByDefault } != hook)
            return new Refusal(Errno.NotSupported, null, "the type, hook and priority of a chain cannot be changed");
        existing.Chain = before with { Base = hook };
        undo.Push(() => existing.Chain = before);
        return null;
    }

    private Refusal? DeleteChain(NftChainKey key)
    {
        if (Find(key) is not ({ } table, { } chain)) return Missing;
        FlushChain(key);
        if (chain.Uses > 0) return new Refusal(Errno.Busy);
        table.Chains.Remove(key.Name);
        undo.Push(() => table.Chains.Add(key.Name, chain));
        return null;
    }

    private Refusal? FlushChain(NftChainKey key)
    {
        if (Find(key) is not ({ } table, { } chain)) return Missing;
        foreach (var rule in chain.Rules) Count(table, rule.Rule, -1);
        var rules = chain.Rules.ToArray();
        chain.Rules.Clear();
        undo.Push(() => chain.Rules.AddRange(rules));
        return null;
    }

    private static int? IndexOf(MemoryChain chain, ulong? handle) =>
        handle is null ? 0 : chain.Rules.FindIndex(rule => rule.Handle == handle) is >= 0 and var index ? index : null;

    private Refusal? PutRule(NftChainKey key, NftRule rule, Func<MemoryChain, int?> place)
    {
        if (Find(key) is not ({ } table, { } chain) || place(chain) is not { } index) return Missing;
        foreach (var verdict in NftReferences.Verdicts(rule))
            if (CheckTarget(table, verdict) is { } refusal)
                return refusal;
        if (NftReferences.Sets(rule).Any(set => !table.Sets.ContainsKey(set))) return Missing;
        if (NftReferences.Objects(rule).Any(item => !table.Objects.ContainsKey(new NftObjectKey(key.Table, item.Kind, item.Name)))) return Missing;
        SizeDynamicSets(table, rule);
        Count(table, rule, +1);
        chain.Rules.Insert(index, new NftRuleInKernel(rule.Canonical(), nextHandle()));
        undo.Push(() => chain.Rules.RemoveAt(index));
        return null;
    }

    /// <summary>The kernel limits a set without a size once a rule may add to it.</summary>
    private void SizeDynamicSets(MemoryTable table, NftRule rule)
    {
        const uint size = ushort.MaxValue; // nft_dynset_init in net/netfilter/nft_dynset.c
        foreach (var dynset in rule.Statements.OfType<NftDynset>().Where(dynset => dynset.Meter is null))
        {
            var set = table.Sets[dynset.Set];
            var before = set.Set;
            if (before.Size is not null) continue;
            set.Set = before with { Size = size };
            undo.Push(() => set.Set = before);
        }
    }

    private Refusal? DeleteRule(NftChainKey key, ulong handle)
    {
        if (Find(key) is not ({ } table, { } chain)) return Missing;
        var index = chain.Rules.FindIndex(rule => rule.Handle == handle);
        if (index < 0) return Missing;
        var rule = chain.Rules[index];
        Count(table, rule.Rule, -1);
        chain.Rules.RemoveAt(index);
        undo.Push(() => chain.Rules.Insert(index, rule));
        return null;
    }

    private (MemoryTable? Table, MemoryChain? Chain) Find(NftChainKey key) =>
        tables.TryGetValue(key.Table, out var table) && table.Chains.TryGetValue(key.Name, out var chain) ? (table, chain) : (null, null);

    private static Refusal Missing => new(Errno.NoSuchEntry);

    private sealed record Refusal(int Errno, int? Element = null, string? Message = null);
}
