using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>
/// Puts the difference between the desired and the known state of the table into operations, in an order that the kernel accepts
/// and that leaves the node consistent wherever a long list is cut into several transactions: endpoints before what leads to
/// them, and the chains with hooks at the very end.
/// </summary>
internal sealed class TableWriter(TableState state, NftTable table)
{
    /// <summary>Elements in one operation: enough to make its cost small, and few enough to cut a cold start.</summary>
    public const int UsualOperationSize = 4096;

    private readonly HashSet<string> _emptied = [];

    /// <summary>Chains that are no longer wanted and that were emptied; they can be deleted once nothing refers to them.</summary>
    /// <remarks>
    /// Kernels before 6.2 hold the references of deleted map elements until after the commit, so a chain cannot go in the
    /// transaction that deletes the elements which lead to it.
    /// </remarks>
    public IReadOnlyCollection<string> EmptiedChains => _emptied;

    /// <summary>
    /// Whether something that is there has properties that the kernel cannot change in place, so that the table has to be
    /// replaced: another implementation's layout, or an earlier version's.
    /// </summary>
    public bool NeedsReplacement => state.Sets.Diff().Replaced.Count > 0 || state.Chains.Diff().Replaced.Any(IsOtherChain);

    /// <summary>Notes that there is no table, or soon will not be.</summary>
    public void Forget()
    {
        state.AdoptNothing();
        _emptied.Clear();
    }

    /// <summary>The difference as operations.</summary>
    /// <param name="operationSize">How many elements an operation may hold.</param>
    public List<PendingWrite> Write(int operationSize)
    {
        var sets = state.Sets.Diff();
        var chains = state.Chains.Diff();
        var deletions = new List<PendingWrite>();
        var additions = new List<PendingWrite>();
        foreach (var collection in state.Elements) collection.Write(deletions, additions, operationSize);

        var (regular, hooked) = (new List<PendingWrite>(), new List<PendingWrite>());
        // By name, so that a table that is made again is listed as it was before.
        List<PendingWrite> writes = [.. sets.Added.OrderBy(set => set.Key, StringComparer.Ordinal).Select(set => AddSet(set.Value))];
        foreach (var (_, chain) in chains.Added.OrderBy(chain => chain.Key, StringComparer.Ordinal))
        {
            // A chain with a hook sees packets as soon as it has been made, so it is made together with its rules.
            (chain.Chain.Base is null ? writes : hooked).Add(AddChain(chain));
            WriteRules(chain, chain.Chain.Base is null ? regular : hooked);
        }

        foreach (var (_, chain) in chains.Replaced)
        {
            writes.Add(Flush(chain));
            WriteRules(chain, regular);
        }

        writes.AddRange(chains.Removed.Select(Empty));
        writes.AddRange(deletions);
        writes.AddRange(regular);
        writes.AddRange(sets.Removed.Select(DeleteSet));
        writes.AddRange(additions);
        writes.AddRange(hooked);
        return writes;
    }

    /// <summary>The operations that delete emptied chains.</summary>
    public List<PendingWrite> WriteSweep() => [.. _emptied.Order(StringComparer.Ordinal).Select(name => new PendingWrite
    {
        Count = 1,
        AddTo = transaction => transaction.Delete(new NftChainKey(table.Key, name)),
        Acknowledge = () => _emptied.Remove(name),
        OwnerOf = _ => null,
    })];

    private bool IsOtherChain(KeyValuePair<string, ChainDefinition> chain) =>
        state.Chains.TryGetKernel(chain.Key, out var kernel) && kernel.Chain != chain.Value.Chain;

    private PendingWrite AddSet(NftSet set) => new()
    {
        Count = 1,
        Object = set.Key.Name,
        AddTo = transaction => transaction.Add(set),
        Acknowledge = () => state.Sets.Acknowledge(set.Key.Name),
        OwnerOf = _ => state.Sets.TryGetDesired(set.Key.Name, out NftSet? _, out var owner) ? owner : null,
    };

    private PendingWrite DeleteSet(string name) => new()
    {
        Count = 1,
        AddTo = transaction => transaction.Delete(new NftSetKey(table.Key, name)),
        Acknowledge = () => state.Sets.Acknowledge(name),
        OwnerOf = _ => null,
    };

    private PendingWrite AddChain(ChainDefinition chain) => ChainWrite(chain, transaction => transaction.Add(chain.Chain), 1, () =>
    {
        _emptied.Remove(chain.Chain.Key.Name);
        if (chain.Rules.IsEmpty) state.Chains.Acknowledge(chain.Chain.Key.Name);
    });

    private PendingWrite Flush(ChainDefinition chain) => ChainWrite(chain, transaction => transaction.Flush(chain.Chain.Key), 0, () =>
    {
        if (chain.Rules.IsEmpty) state.Chains.Acknowledge(chain.Chain.Key.Name);
    });

    private void WriteRules(ChainDefinition chain, List<PendingWrite> writes)
    {
        for (var i = 0; i < chain.Rules.Length; i++)
        {
            var (rule, isLast) = (chain.Rules[i], i == chain.Rules.Length - 1);
            writes.Add(ChainWrite(chain, transaction => transaction.Add(chain.Chain.Key, rule), 1, () =>
            {
                if (isLast) state.Chains.Acknowledge(chain.Chain.Key.Name);
            }));
        }
    }

    private PendingWrite Empty(string name) => new()
    {
        Count = 1,
        AddTo = transaction => transaction.Flush(new NftChainKey(table.Key, name)),
        Acknowledge = () =>
        {
            _emptied.Add(name);
            state.Chains.Acknowledge(name);
        },
        OwnerOf = _ => null,
    };

    private PendingWrite ChainWrite(ChainDefinition chain, Func<NftTransaction, NftTransaction> addTo, int count, Action acknowledge) => new()
    {
        Count = count,
        Object = chain.Chain.Key.Name,
        AddTo = addTo,
        Acknowledge = acknowledge,
        OwnerOf = _ => state.Chains.TryGetDesired(chain.Chain.Key.Name, out ChainDefinition? _, out var owner) ? owner : null,
    };
}
