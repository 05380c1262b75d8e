using KubeProxy.Core.Diff;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>The rules of ours in the standard tables: rule by rule, only what changed.</summary>
internal sealed class IptablesRuleset(IptablesState state, IptablesReader reader, IptablesWrites writes, int sliceSize) : IRuleset
{
    // Above this many chains that change at once, reading each costs more than writing them anew.
    private const int MostEdits = 64;

    private readonly HashSet<IptablesChain> _emptied = [];
    private bool _sweepRefused;

    public bool HasChanges => state.HasChanges;

    public int ChangeCount => state.ChangeCount;

    public bool MustLookAfterRefusal => false;

    public Task<uint> ReadAsync(bool thorough, CancellationToken cancellationToken)
    {
        _emptied.Clear();
        _sweepRefused = false;
        return reader.ReadAsync(cancellationToken);
    }

    public async ValueTask<IEnumerable<List<PendingWrite>>> WriteAsync(bool separateElements, CancellationToken cancellationToken)
    {
        var (chains, rules) = (state.Chains.Diff(), state.Rules.Diff());
        await FindHandlesAsync(rules, cancellationToken);
        var edits = chains.Replaced.Count <= MostEdits ? await FindEditsAsync(chains, cancellationToken) : [];
        var isSmall = chains.Added.Sum(chain => 1 + chain.Value.Rules.Length) + chains.Removed.Count < sliceSize;
        var (before, change, after) = (Prepare(chains), Change(chains, rules, edits), chains.Removed.Select(Empty));
        if (!IptablesLayout.Jumps.Any(jump => state.Rules.TryGetKernel(jump, out _)))
            return Slice(before.Concat(change).Concat(after)); // As long as no packet gets here, the rules may come in pieces.
        // What nothing leads to yet, or any more, may come in pieces always. In one it would hold up all who wait for the kernel.
        return isSmall ? [[.. before, .. change, .. after]] : Slice(before).Append([.. change]).Concat(Slice(after));
    }

    public List<PendingWrite> WriteSweep() =>
        _sweepRefused ? [] : [.. _emptied.Take(sliceSize).Select(chain => writes.DeleteChain(chain, () => _emptied.Remove(chain)))];

    public bool KeepsAfterRefusedSweep() => _sweepRefused = true;

    private async Task FindHandlesAsync(Changes<SharedRule, Placement> rules, CancellationToken cancellationToken)
    {
        var unknown = rules.Removed.Concat(rules.Replaced.Select(rule => rule.Key)).Where(rule => !state.Handles.ContainsKey(rule));
        foreach (var chain in unknown.Select(rule => rule.Chain).Distinct().ToArray())
        {
            foreach (var (rule, handle) in await reader.ReadChainAsync(chain, cancellationToken) ?? [])
            {
                var shared = new SharedRule(chain, rule);
                if (state.Rules.TryGetKernel(shared, out _)) state.Handles.TryAdd(shared, handle);
            }
        }
    }

    private async Task<Dictionary<IptablesChain, ChainEdit>> FindEditsAsync(Changes<IptablesChain, ChainContent> chains, CancellationToken cancellationToken)
    {
        var edits = new Dictionary<IptablesChain, ChainEdit>();
        foreach (var (chain, content) in chains.Replaced)
        {
            if (await reader.ReadChainAsync(chain, cancellationToken) is not { } found) continue;
            var edit = ChainEdit.Between(found, content.Rules);
            if (edit.IsWorthwhile(found.Count, content.Rules.Length)) edits.Add(chain, edit);
        }

        return edits;
    }

    // What others lead to comes first, and the jumps from the standard chains last.
    private IEnumerable<PendingWrite> Prepare(Changes<IptablesChain, ChainContent> chains)
    {
        foreach (var table in state.MissingTables.ToArray()) yield return writes.AddTable(table, () => state.MissingTables.Remove(table));
        // Adding a table that is there sets its flags, so this wakes it up.
        foreach (var table in state.DormantTables.ToArray()) yield return writes.AddTable(table, () => state.DormantTables.Remove(table));
        foreach (var (chain, content) in chains.Added) yield return AddChain(chain, content);
        foreach (var (chain, content) in chains.Added)
            foreach (var write in Fill(chain, content)) yield return write;
    }

    private IEnumerable<PendingWrite> Change(
        Changes<IptablesChain, ChainContent> chains, Changes<SharedRule, Placement> rules, Dictionary<IptablesChain, ChainEdit> edits)
    {
        foreach (var write in DeleteRules(rules)) yield return write;
        foreach (var (chain, content) in chains.Replaced)
            foreach (var write in edits.TryGetValue(chain, out var edit) ? Edit(chain, edit) : Rewrite(chain, content)) yield return write;
        foreach (var write in AddRules(rules)) yield return write;
    }

    // The chain counts as written with its last rule; when it has none, with itself.
    private PendingWrite AddChain(IptablesChain chain, ChainContent content) => writes.AddChain(chain, () =>
    {
        _emptied.Remove(chain);
        if (content.IsEmpty) state.Chains.Acknowledge(chain);
    });

    private IEnumerable<PendingWrite> Fill(IptablesChain chain, ChainContent content)
    {
        var rules = content.Rules;
        for (var i = 0; i < rules.Length; i++)
            yield return writes.Append(chain, rules[i], i == rules.Length - 1 ? () => state.Chains.Acknowledge(chain) : null);
    }

    private IEnumerable<PendingWrite> Rewrite(IptablesChain chain, ChainContent content) =>
        Fill(chain, content).Prepend(writes.Flush(chain, content.IsEmpty ? () => state.Chains.Acknowledge(chain) : null));

    private IEnumerable<PendingWrite> Edit(IptablesChain chain, ChainEdit edit)
    {
        var left = edit.Deleted.Count + edit.Inserted.Length;
        if (left == 0) state.Chains.Acknowledge(chain);
        foreach (var handle in edit.Deleted) yield return writes.Delete(chain, handle, Acknowledge());
        foreach (var rule in edit.Inserted)
            yield return edit.Before is { } before ? writes.Insert(chain, rule, before, Acknowledge()) : writes.Append(chain, rule, Acknowledge());

        Action? Acknowledge() => --left == 0 ? () => state.Chains.Acknowledge(chain) : null;
    }

    private PendingWrite Empty(IptablesChain chain) => writes.Flush(chain, () =>
    {
        _emptied.Add(chain);
        state.Chains.Acknowledge(chain);
    });

    private IEnumerable<PendingWrite> DeleteRules(Changes<SharedRule, Placement> rules)
    {
        foreach (var copy in state.Surplus.ToArray()) yield return writes.Delete(copy.Chain, copy.Handle, () => state.Surplus.Remove(copy));
        foreach (var rule in rules.Removed)
        {
            if (state.Handles.TryGetValue(rule, out var handle)) yield return writes.Delete(rule.Chain, handle, () => Gone(rule));
            else state.Rules.Acknowledge(rule); // It is not there.
        }

        foreach (var (rule, _) in rules.Replaced)
            if (state.Handles.TryGetValue(rule, out var handle)) yield return writes.Delete(rule.Chain, handle, () => state.Handles.Remove(rule));

        void Gone(SharedRule rule)
        {
            state.Handles.Remove(rule);
            state.Rules.Acknowledge(rule);
        }
    }

    private IEnumerable<PendingWrite> AddRules(Changes<SharedRule, Placement> rules)
    {
        // Each is put before all others, so what has to stand before another one comes after it.
        var added = rules.Added.Where(rule => rule.Value == Placement.Anywhere).Select(rule => rule.Key).ToArray();
        foreach (var rule in added)
            if (!IsJump(rule) && !Counts(rule)) yield return First(rule);
        foreach (var rule in added)
            if (Counts(rule)) yield return First(rule);
        foreach (var (rule, placement) in rules.Added.Concat(rules.Replaced))
            if (placement == Placement.Last) yield return writes.Append(rule.Chain, rule.Rule, () => state.Rules.Acknowledge(rule), rule);
        var missing = added.Where(IsJump).ToHashSet();
        foreach (var jump in IptablesLayout.Jumps)
            if (missing.Contains(jump)) yield return First(jump);

        PendingWrite First(SharedRule rule) => writes.Insert(rule.Chain, rule.Rule, null, () => state.Rules.Acknowledge(rule), rule);
        static bool IsJump(SharedRule rule) => rule.Chain.IsStandard();
        static bool Counts(SharedRule rule) => rule.Rule.Matches is [.., AccountingMatch];
    }

    private IEnumerable<List<PendingWrite>> Slice(IEnumerable<PendingWrite> all)
    {
        var slice = new List<PendingWrite>();
        foreach (var write in all)
        {
            slice.Add(write);
            if (slice.Count < sliceSize) continue;
            yield return slice;
            slice = [];
        }

        if (slice.Count > 0) yield return slice;
    }
}
