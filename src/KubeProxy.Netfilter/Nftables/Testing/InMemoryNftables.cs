using KubeProxy.Netfilter.Nftables.Text;
using KubeProxy.Netfilter.Nftables.Validation;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Testing;

/// <summary>
/// nf_tables in memory, for tests: as strict as the kernel (references, duplicates, clashes, missing things), transactional,
/// with injectable failures. Passes the contract tests of the kernel client. Thread-safe.
/// </summary>
public sealed class InMemoryNftables : INftables
{
    private readonly Lock _lock = new();
    private readonly Dictionary<NftTableKey, MemoryTable> _tables = [];
    private ulong _nextHandle = 1;
    private uint _generation = 1;

    /// <summary>
    /// Refuses operations: gets each operation, and each element of element operations (null for the operation itself), and
    /// returns an errno, or 0 to let it pass. Null: refuse nothing.
    /// </summary>
    public Func<NftOperation, NftElement?, int>? Refuse { get; set; }

    /// <summary>
    /// Asked before each commit: true loses its acknowledgement, so that the commit throws
    /// <see cref="NftUnknownOutcomeException"/>. Null: never.
    /// </summary>
    public Func<NftTransaction, LostAck>? LoseAck { get; set; }

    /// <summary>
    /// How many jumps and gotos a walk from all base chains may meet: <c>net.netfilter.nf_tables_jumps_max_netns</c> of newer kernels, which
    /// holds in all network namespaces but the first, and has 256,000 as its default. Null: no limit, as in older ones.
    /// </summary>
    public long? MaxJumps { get; set; }

    /// <summary>How many such jumps there are now.</summary>
    public long JumpCount
    {
        get
        {
            lock (_lock) return MemoryJumps.Count(_tables.Values);
        }
    }

    /// <summary>What has been asked of it.</summary>
    public InMemoryNftablesCounts Counts { get; } = new();

    /// <summary>Raised after each transaction that was applied, with its generation. Called while the state is locked.</summary>
    public event Action<NftTransaction, uint>? Committed;

    /// <inheritdoc/>
    public Task<NftCommitResult> CommitAsync(NftTransaction transaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return CommitAsync(transaction, transaction.ExpectedGeneration, cancellationToken);
    }

    /// <inheritdoc/>
    public INftPreparedTransaction Prepare(NftTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        var failures = NftOperationCheck.Check(transaction);
        return failures.Count == 0 ? new Prepared(this, transaction) : throw NftFailures.Exception(failures);
    }

    /// <inheritdoc/>
    public Task<uint> GetGenerationAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock) return Task.FromResult(_generation);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<NftTable>> ListTablesAsync(NftFamily? family = null, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            Counts.CountDump();
            return Task.FromResult<IReadOnlyList<NftTable>>(
                [.. _tables.Values.Select(table => table.Table).Where(table => family is null || table.Key.Family == family)]);
        }
    }

    /// <inheritdoc/>
    public Task<NftTableContent?> ReadTableAsync(NftTableKey table, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            Counts.CountDump();
            return Task.FromResult(_tables.TryGetValue(table, out var found) ? found.Content(_generation) : null);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<NftChain>> ListChainsAsync(NftTableKey table, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            Counts.CountDump();
            return Task.FromResult<IReadOnlyList<NftChain>>(
                _tables.TryGetValue(table, out var found) ? [.. found.Chains.Values.Select(chain => chain.Chain)] : []);
        }
    }

    /// <inheritdoc/>
    public Task VisitRulesAsync(
        NftTableKey table, string? chain, NftRuleVisitor visit, Action restart, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(visit);
        List<(string Chain, NftRuleInKernel Rule)> rules;
        lock (_lock)
        {
            Counts.CountDump();
            if (!_tables.TryGetValue(table, out var found) || (chain is not null && !found.Chains.ContainsKey(chain)))
                return Task.FromException(NftReadException.NotFound($"list table {NftChainText.Table(table)}"));
            rules = [.. found.Chains.Values
                .Where(memory => chain is null || memory.Chain.Key.Name == chain)
                .SelectMany(memory => memory.Rules.Select(rule => (memory.Chain.Key.Name, rule)))];
        }

        foreach (var rule in rules) visit(rule.Chain, rule.Rule);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<uint> ReadElementsAsync(
        NftSet set, Action<NftElement> visit, Action restart, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(visit);
        List<NftElement> elements;
        uint generation;
        lock (_lock)
        {
            Counts.CountDump();
            if (!_tables.TryGetValue(set.Key.Table, out var table) || !table.Sets.TryGetValue(set.Key.Name, out var found))
                return Task.FromException<uint>(NftReadException.NotFound($"list set {NftChainText.Table(set.Key.Table)} {set.Key.Name}"));
            elements = [.. found.Elements.Values];
            generation = _generation;
        }

        foreach (var element in elements) visit(element);
        return Task.FromResult(generation);
    }

    /// <inheritdoc/>
    public Task<uint> GetElementsAsync(
        NftSet set, IEnumerable<IReadOnlyList<NftElement>> keys, NftElementVisitor visit, Action restart, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(visit);
        if (set.Flags.HasFlag(NftSetFlags.Interval)) throw new ArgumentException($"{set.Key.Name} is an interval set: its elements have no keys to ask for.", nameof(set));
        List<(int List, NftElement Element)> found = [];
        uint generation;
        lock (_lock)
        {
            if (!_tables.TryGetValue(set.Key.Table, out var table) || !table.Sets.TryGetValue(set.Key.Name, out var known))
                return Task.FromException<uint>(NftReadException.NotFound($"get element {NftChainText.Table(set.Key.Table)} {set.Key.Name}"));
            foreach (var (list, wanted) in keys.Index())
            {
                for (var i = 0; i < wanted.Count && known.Elements.TryGetValue((wanted[i].Key, default), out var element); i++)
                {
                    Counts.CountGet();
                    found.Add((list, element));
                }
            }

            generation = _generation;
        }

        foreach (var (list, element) in found) visit(list, element);
        return Task.FromResult(generation);
    }

    /// <summary>Everything as text that <c>nft -f</c> loads.</summary>
    public string Dump()
    {
        lock (_lock) return string.Concat(_tables.Values.Select(table => table.Text(_generation)));
    }

    /// <summary>One table as <c>nft list table</c> would print it; empty when there is none.</summary>
    public string Dump(NftTableKey table)
    {
        lock (_lock) return _tables.TryGetValue(table, out var found) ? found.Text(_generation) : "";
    }

    /// <summary>The elements of a set; empty when there is no such set.</summary>
    public IReadOnlyCollection<NftElement> Elements(NftSetKey set)
    {
        lock (_lock)
            return _tables.TryGetValue(set.Table, out var table) && table.Sets.TryGetValue(set.Name, out var found)
                ? [.. found.Elements.Values] : [];
    }

    /// <summary>Nothing to release.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task<NftCommitResult> CommitAsync(NftTransaction transaction, uint? expectedGeneration, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            lock (_lock) return Task.FromResult(Commit(transaction, expectedGeneration));
        }
        catch (Exception exception) when (exception is NftTransactionException or NftUnknownOutcomeException)
        {
            return Task.FromException<NftCommitResult>(exception);
        }
    }

    private NftCommitResult Commit(NftTransaction transaction, uint? expectedGeneration)
    {
        Counts.CountCommit();
        if (expectedGeneration is { } expected && expected != _generation)
            throw NftFailures.Exception([NftFailures.OfBatch(Errno.Restart, null)]);
        var lost = LoseAck?.Invoke(transaction) ?? LostAck.None;
        if (lost == LostAck.NotApplied) throw new NftUnknownOutcomeException("The acknowledgement was lost (injected, not applied).");
        var failures = NftOperationCheck.Check(transaction);
        var undo = new Stack<Action>();
        if (failures.Count == 0) new MemoryApply(_tables, undo, Refuse, () => _nextHandle++, MaxJumps).Apply(transaction, failures);
        if (failures.Count > 0)
        {
            while (undo.TryPop(out var action)) action();
            throw NftFailures.Exception(failures);
        }

        if (!transaction.IsEmpty) _generation++;
        Counts.Count(transaction);
        Committed?.Invoke(transaction, _generation);
        if (lost == LostAck.Applied) throw new NftUnknownOutcomeException("The acknowledgement was lost (injected, applied).");
        return new NftCommitResult(_generation, transaction.Operations.Count, 0);
    }

    private sealed class Prepared(InMemoryNftables nftables, NftTransaction transaction) : INftPreparedTransaction
    {
        public Task<NftCommitResult> CommitAsync(uint? expectedGeneration, CancellationToken cancellationToken) =>
            nftables.CommitAsync(transaction, expectedGeneration, cancellationToken);

        public void Dispose() { }
    }
}

/// <summary>What happens to a transaction and its acknowledgement.</summary>
public enum LostAck
{
    /// <summary>The acknowledgement arrives.</summary>
    None,

    /// <summary>The transaction is applied, the acknowledgement lost.</summary>
    Applied,

    /// <summary>The transaction is not applied, and nobody says so.</summary>
    NotApplied,
}
