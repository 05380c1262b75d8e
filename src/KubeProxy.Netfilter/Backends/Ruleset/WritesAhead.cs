using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>
/// Transactions one after the other, of which the next one is made while the kernel is busy with the one before. What the writes are
/// made from must not be changed meanwhile: between <see cref="Begin"/> and the end of <see cref="SettleAsync"/>.
/// </summary>
internal sealed class WritesAhead(INftables nftables, IEnumerable<List<PendingWrite>> transactions) : IAsyncDisposable
{
    private readonly IEnumerator<List<PendingWrite>> _transactions = transactions.GetEnumerator();
    private Task<PreparedWrites>? _next;

    /// <summary>What was taken last, or could not be made ready to be taken.</summary>
    public List<PendingWrite> Current { get; private set; } = [];

    /// <summary>The next transaction; null after the last.</summary>
    /// <exception cref="NftTransactionException">Something in it cannot be written.</exception>
    public async ValueTask<PreparedWrites?> TakeAsync()
    {
        if (_next is null)
        {
            if (!_transactions.MoveNext()) return null;
            Current = _transactions.Current;
            return new PreparedWrites(nftables, Current);
        }

        var next = _next;
        _next = null;
        Current = _transactions.Current;
        return await next;
    }

    /// <summary>Begins to make the one after that.</summary>
    public void Begin()
    {
        // Nothing is left to another thread when there is no other one, which is the rule.
        if (_transactions.MoveNext()) _next = Task.Run(() => new PreparedWrites(nftables, _transactions.Current));
    }

    /// <summary>Waits until it is made.</summary>
    public async ValueTask SettleAsync()
    {
        if (_next is not null) await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await SettleAsync();
        if (_next is { IsCompletedSuccessfully: true }) (await _next).Dispose();
        _transactions.Dispose();
    }
}

/// <summary>Writes that make one transaction, ready for the kernel.</summary>
internal sealed class PreparedWrites : IDisposable
{
    private readonly List<PendingWrite> _writes;
    private readonly INftPreparedTransaction _transaction;

    /// <exception cref="NftTransactionException">Something in it cannot be written.</exception>
    public PreparedWrites(INftables nftables, List<PendingWrite> writes)
    {
        _writes = writes;
        var transaction = new NftTransaction();
        foreach (var write in writes) write.AddTo(transaction);
        _transaction = nftables.Prepare(transaction);
        Count = writes.Sum(write => write.Count);
    }

    /// <summary>The number of kernel objects that are written or deleted.</summary>
    public int Count { get; }

    /// <summary>Whether there is nothing to do.</summary>
    public bool IsEmpty => _writes.Count == 0;

    /// <inheritdoc cref="INftPreparedTransaction.CommitAsync"/>
    /// <returns>The generation that it made.</returns>
    public async Task<uint> CommitAsync(uint expectedGeneration, CancellationToken cancellationToken) =>
        (await _transaction.CommitAsync(expectedGeneration, cancellationToken)).Generation;

    /// <summary>Notes that the kernel took it.</summary>
    public void Acknowledge()
    {
        foreach (var write in _writes) write.Acknowledge();
    }

    /// <inheritdoc/>
    public void Dispose() => _transaction.Dispose();
}
