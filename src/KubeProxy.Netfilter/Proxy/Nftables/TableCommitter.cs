using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>
/// Brings the difference into the kernel: in one transaction, or in several while the table is new and sees no packets. Looks
/// before it tries again when someone else was faster, and finds out who is to blame when the kernel refuses something.
/// </summary>
internal sealed class TableCommitter(
    INftables nftables, TableState state, TableReader reader, TableWriter writer, NftTable table, IForeignChanges foreignChanges, int coldStartSize)
{
    // Above this the messages for our own listener cost more than joining the group again.
    private const int LargeCommit = 1024;
    private const int Attempts = 20;

    private uint _generation;
    private bool _looked;
    private bool _splitElements;

    /// <summary>Whether what is known of the kernel can be relied upon.</summary>
    public bool Known { get; private set; }

    /// <summary>Objects written since the last call of <see cref="Begin"/>.</summary>
    public int Operations { get; private set; }

    /// <summary>Begins a sync.</summary>
    public void Begin() => (Operations, _looked, _splitElements) = (0, false, false);

    /// <summary>Dumps the table and takes over what is there.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        Known = false;
        foreignChanges.TakeTouched();
        _generation = await reader.ReadAsync(cancellationToken);
        (Known, _looked) = (true, true);
    }

    /// <summary>Writes until there is no difference.</summary>
    /// <param name="refuse">Takes an owner out of the state because the kernel refuses it, for a reason.</param>
    /// <param name="cancellationToken">Gives up; what is known of the kernel is then read again later.</param>
    public async Task WriteAsync(Action<RuleOwner, string> refuse, CancellationToken cancellationToken)
    {
        for (var attempt = 0; state.HasChanges; attempt++)
        {
            if (attempt == Attempts) throw new ProxyBackendException($"The nftables ruleset is changed by others faster than it can be written ({Attempts} attempts).");
            if (!Known) await LookAsync(cancellationToken);
            var refused = await TryWriteAsync(cancellationToken);
            if (refused is null) continue;
            foreach (var (owner, reason) in refused) refuse(owner, reason);
            if (refused.Count > 0) attempt = -1;
        }
    }

    /// <summary>Deletes chains that are empty and that nothing leads to any more.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        if (writer.EmptiedChains.Count == 0) return;
        try
        {
            await CommitAsync(writer.WriteSweep(), prefix: null, cancellationToken);
        }
        catch (Exception e) when (e is NftTransactionException or NftUnknownOutcomeException)
        {
            // They are empty and do no harm; the next sync tries again. What is there is read then.
            Known = false;
        }
    }

    // Returns null when it was written or has to be tried again, otherwise who is to blame.
    private async Task<Dictionary<RuleOwner, string>?> TryWriteAsync(CancellationToken cancellationToken)
    {
        var replace = reader.Found && writer.NeedsReplacement;
        if (replace) writer.Forget();
        var writes = writer.Write(_splitElements ? 1 : TableWriter.UsualOperationSize);
        var slices = replace || reader.Found ? [writes] : Slice(writes);
        var sent = 0;
        List<PendingWrite> current = [];
        try
        {
            foreach (var slice in slices)
            {
                current = slice;
                await CommitAsync(slice, sent++ == 0 ? Prefix(replace) : null, cancellationToken);
                reader.NoteFound();
            }

            return null;
        }
        catch (NftTransactionException e)
        {
            if (replace) Known = false;
            return await ExplainAsync(e, current, sent == 1 ? Prefix(replace) : null, cancellationToken);
        }
        catch (NftUnknownOutcomeException)
        {
            Known = false;
            return null;
        }
        catch
        {
            Known = false;
            throw;
        }
    }

    private Action<NftTransaction>? Prefix(bool replace) => replace
        ? transaction => transaction.Delete(table.Key).Add(table)
        : reader.Found ? null : transaction => transaction.Add(table);

    private async Task CommitAsync(List<PendingWrite> writes, Action<NftTransaction>? prefix, CancellationToken cancellationToken)
    {
        // What others did elsewhere in the ruleset is known already, as a rule.
        if (foreignChanges.UntouchedGeneration is { } untouched && (int)(untouched - _generation) > 0) _generation = untouched;
        var transaction = new NftTransaction { ExpectedGeneration = _generation };
        prefix?.Invoke(transaction);
        foreach (var write in writes) write.AddTo(transaction);
        var count = writes.Sum(write => write.Count);
        _generation = count > LargeCommit
            ? await CommitUnheardAsync(transaction, cancellationToken)
            : (await nftables.CommitAsync(transaction, cancellationToken)).Generation;
        foreach (var write in writes) write.Acknowledge();
        Operations += count;
    }

    private async Task<uint> CommitUnheardAsync(NftTransaction transaction, CancellationToken cancellationToken)
    {
        uint? generation = null;
        foreignChanges.Pause();
        try
        {
            generation = (await nftables.CommitAsync(transaction, cancellationToken)).Generation;
            return generation.Value;
        }
        finally
        {
            await foreignChanges.ResumeAsync(generation);
        }
    }

    private async Task<Dictionary<RuleOwner, string>?> ExplainAsync(
        NftTransactionException refusal, List<PendingWrite> writes, Action<NftTransaction>? prefix, CancellationToken cancellationToken)
    {
        if (refusal.IsStale)
        {
            await CatchUpAsync(cancellationToken);
            return null;
        }

        if (!_looked)
        {
            // Perhaps the kernel does not have what we believe it has.
            Known = false;
            return null;
        }

        var offset = prefix is null ? 0 : PrefixLength(prefix);
        var blamed = new Dictionary<RuleOwner, string>();
        foreach (var failure in refusal.Failures) Blame(failure, offset, writes, blamed);
        if (blamed.Count == 0 && !_splitElements)
        {
            // An older kernel does not say which element it was: one message for each will tell.
            _splitElements = true;
            return null;
        }

        if (blamed.Count == 0) throw new ProxyBackendException("The kernel refuses the base rules. " + refusal.Message, refusal);
        return blamed;
    }

    private static void Blame(NftFailure failure, int offset, List<PendingWrite> writes, Dictionary<RuleOwner, string> blamed)
    {
        var index = failure.OperationIndex - offset;
        if (index < 0 || index >= writes.Count) return;
        var write = writes[index];
        if (failure.ElementIndex is null && write.Count > 1) return;
        if (write.OwnerOf(failure.ElementIndex ?? 0) is { Name: not null } owner)
            blamed.TryAdd(owner, $"{failure.Operation}: {NftErrorText.For(failure)}");
    }

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        var generation = await nftables.GetGenerationAsync(cancellationToken);
        if (await foreignChanges.SeenUntouchedAsync(generation, cancellationToken)) _generation = generation;
        else Known = false;
    }

    private static int PrefixLength(Action<NftTransaction> prefix)
    {
        var transaction = new NftTransaction();
        prefix(transaction);
        return transaction.Operations.Count;
    }

    private List<List<PendingWrite>> Slice(List<PendingWrite> writes)
    {
        List<List<PendingWrite>> slices = [[]];
        var size = 0;
        foreach (var write in writes)
        {
            if (size > 0 && size + write.Count > coldStartSize)
            {
                slices.Add([]);
                size = 0;
            }

            slices[^1].Add(write);
            size += write.Count;
        }

        return slices;
    }
}
