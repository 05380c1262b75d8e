using KubeProxy.Netfilter.Nftables.Validation;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>
/// nf_tables for a dry run: what is there is read, what is written is noted, and counts as written. A backend over it does all that it would do
/// otherwise, and changes nothing. One backend has it at a time.
/// </summary>
/// <param name="kernel">What is there; not disposed. Null for nothing.</param>
public sealed class DryRunNftables(INftables? kernel = null) : INftables
{
    private const uint OnlyGeneration = 1;

    private readonly List<NftOperation> _operations = [];

    /// <summary>What would have been written, in order.</summary>
    public IReadOnlyList<NftOperation> Operations => _operations;

    /// <inheritdoc/>
    public Task<NftCommitResult> CommitAsync(NftTransaction transaction, CancellationToken cancellationToken = default)
    {
        using var prepared = Prepare(transaction);
        return prepared.CommitAsync(transaction.ExpectedGeneration, cancellationToken);
    }

    /// <inheritdoc/>
    public INftPreparedTransaction Prepare(NftTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        var failures = NftOperationCheck.Check(transaction);
        return failures.Count == 0 ? new Prepared(this, transaction) : throw NftFailures.Exception(failures);
    }

    /// <inheritdoc/>
    public Task<uint> GetGenerationAsync(CancellationToken cancellationToken = default) =>
        kernel?.GetGenerationAsync(cancellationToken) ?? Task.FromResult(OnlyGeneration);

    /// <inheritdoc/>
    public Task<IReadOnlyList<NftTable>> ListTablesAsync(NftFamily? family = null, CancellationToken cancellationToken = default) =>
        kernel?.ListTablesAsync(family, cancellationToken) ?? Task.FromResult<IReadOnlyList<NftTable>>([]);

    /// <inheritdoc/>
    public Task<NftTableContent?> ReadTableAsync(NftTableKey table, CancellationToken cancellationToken = default) =>
        kernel?.ReadTableAsync(table, cancellationToken) ?? Task.FromResult<NftTableContent?>(null);

    /// <inheritdoc/>
    public Task<IReadOnlyList<NftChain>> ListChainsAsync(NftTableKey table, CancellationToken cancellationToken = default) =>
        kernel?.ListChainsAsync(table, cancellationToken) ?? Task.FromResult<IReadOnlyList<NftChain>>([]);

    /// <inheritdoc/>
    public Task VisitRulesAsync(NftTableKey table, string? chain, NftRuleVisitor visit, Action restart, CancellationToken cancellationToken = default) =>
        kernel?.VisitRulesAsync(table, chain, visit, restart, cancellationToken)
        ?? Task.FromException(NftReadException.NotFound($"list table {Text.NftChainText.Table(table)}"));

    /// <inheritdoc/>
    public Task<uint> ReadElementsAsync(NftSet set, Action<NftElement> visit, Action restart, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        return kernel?.ReadElementsAsync(set, visit, restart, cancellationToken)
            ?? Task.FromException<uint>(NftReadException.NotFound($"list set {Text.NftChainText.Table(set.Key.Table)} {set.Key.Name}"));
    }

    /// <inheritdoc/>
    public Task<uint> GetElementsAsync(
        NftSet set, IEnumerable<IReadOnlyList<NftElement>> keys, NftElementVisitor visit, Action restart, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        return kernel?.GetElementsAsync(set, keys, visit, restart, cancellationToken)
            ?? Task.FromException<uint>(NftReadException.NotFound($"get element {Text.NftChainText.Table(set.Key.Table)} {set.Key.Name}"));
    }

    /// <summary>Nothing to release.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Prepared(DryRunNftables nftables, NftTransaction transaction) : INftPreparedTransaction
    {
        public Task<NftCommitResult> CommitAsync(uint? expectedGeneration, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            nftables._operations.AddRange(transaction.Operations);
            return Task.FromResult(new NftCommitResult(expectedGeneration ?? OnlyGeneration, transaction.Operations.Count, 0));
        }

        public void Dispose() { }
    }
}
