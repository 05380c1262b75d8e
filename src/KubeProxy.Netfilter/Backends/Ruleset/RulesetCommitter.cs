using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>
/// Brings the difference into the kernel: in one transaction, or in several while it sees no packets. Looks
/// before it tries again when someone else was faster, and finds out who is to blame when the kernel refuses something.
/// </summary>
internal sealed class RulesetCommitter(INftables nftables, IRuleset ruleset, IForeignChanges foreignChanges)
{
    // Above this the messages for our own listener cost more than joining the group again.
    private const int LargeCommit = 1024;
    private const int Attempts = 20;
    private const int TooManyJumps = 31; // EMLINK

    private uint _generation;
    private bool _looked;
    private bool _splitElements;

    /// <summary>Whether what is known of the kernel can be relied upon.</summary>
    public bool Known { get; private set; }

    /// <summary>Objects written since the last call of <see cref="Begin"/>.</summary>
    public int Operations { get; private set; }

    /// <summary>Begins a sync.</summary>
    public void Begin() => (Operations, _looked, _splitElements) = (0, false, false);

    /// <summary>Reads what is there and takes it over.</summary>
    /// <inheritdoc cref="IRuleset.ReadAsync"/>
    public async Task LookAsync(bool thorough, CancellationToken cancellationToken)
    {
        Known = false;
        foreignChanges.TakeTouched();
        _generation = await ruleset.ReadAsync(thorough, cancellationToken);
        // What was overlooked may be what the kernel refuses a write for: nobody is to blame before a thorough look.
        (Known, _looked) = (true, thorough);
    }

    /// <summary>Writes until there is no difference.</summary>
    /// <param name="refuse">Takes an owner out of the state because the kernel refuses it, for a reason.</param>
    /// <param name="doWithout">See <see cref="IBackendRules.DoWithout"/>.</param>
    /// <param name="cancellationToken">Gives up; what is known of the kernel is then read again later.</param>
    public async Task WriteAsync(Action<RuleOwner, string> refuse, Func<IReadOnlyCollection<string>, string, bool> doWithout, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ruleset.HasChanges; attempt++)
        {
            if (attempt == Attempts) throw new ProxyBackendException($"The nftables ruleset is changed by others faster than it can be written ({Attempts} attempts).");
            if (!Known) await LookAsync(thorough: true, cancellationToken);
            var refusal = await TryWriteAsync(cancellationToken);
            if (refusal is null) continue;
            foreach (var (owner, reason) in refusal.Owners) refuse(owner, reason);
            if (refusal.Owners.Count == 0 && !doWithout(refusal.Shared, refusal.Reason)) throw new ProxyBackendException(refusal.Reason, refusal.Cause);
            attempt = -1;
        }
    }

    /// <summary>Deletes chains that are empty and that nothing leads to any more.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts && Known; attempt++)
        {
            var writes = ruleset.WriteSweep();
            if (writes.Count == 0) return;
            try
            {
                using var prepared = new PreparedWrites(nftables, writes);
                await CommitAsync(prepared, null, cancellationToken);
                attempt = -1; // There may be more of them.
            }
            catch (NftTransactionException e) when (e.IsStale)
            {
                // Somebody was faster, be it the other family: there may be no other sync for long, so it is tried again now.
                await CatchUpAsync(cancellationToken);
            }
            catch (NftTransactionException)
            {
                // They are empty and do no harm; the next sync tries again. What is there is read then.
                if (!ruleset.KeepsAfterRefusedSweep()) Known = false;
                return;
            }
            catch (NftUnknownOutcomeException)
            {
                Known = false;
            }
        }
    }

    /// <summary>Writes something that is not part of what is desired, once.</summary>
    /// <returns>False when the kernel refuses it, or what is known of the kernel cannot be relied upon.</returns>
    public async Task<bool> TryWriteBesideAsync(List<PendingWrite> writes, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts && Known; attempt++)
        {
            try
            {
                using var prepared = new PreparedWrites(nftables, writes);
                await CommitAsync(prepared, null, cancellationToken);
                return true;
            }
            catch (NftTransactionException e) when (e.IsStale)
            {
                await CatchUpAsync(cancellationToken);
            }
            catch (NftTransactionException)
            {
                return false;
            }
            catch (NftUnknownOutcomeException)
            {
                Known = false;
            }
        }

        return false;
    }

    // Returns null when it was written or has to be tried again, otherwise who is to blame.
    private async Task<Refusal?> TryWriteAsync(CancellationToken cancellationToken)
    {
        WritesAhead? ahead = null;
        try
        {
            await using (ahead = new WritesAhead(nftables, await ruleset.WriteAsync(_splitElements, cancellationToken)))
            {
                while (await ahead.TakeAsync() is { } writes)
                {
                    using (writes) await CommitAsync(writes, ahead, cancellationToken);
                }
            }

            return null;
        }
        catch (NftTransactionException e)
        {
            if (ruleset.MustLookAfterRefusal) Known = false;
            return await ExplainAsync(e, ahead?.Current ?? [], cancellationToken);
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

    private async Task CommitAsync(PreparedWrites writes, WritesAhead? ahead, CancellationToken cancellationToken)
    {
        if (writes.IsEmpty) return;
        ahead?.Begin();
        using (var turn = await foreignChanges.TakeTurnAsync(_generation, cancellationToken))
        {
            turn.Committed(writes.Count > LargeCommit
                ? await CommitUnheardAsync(writes, turn.Generation, cancellationToken)
                : await writes.CommitAsync(turn.Generation, cancellationToken));
            _generation = turn.Generation;
        }

        if (ahead is not null) await ahead.SettleAsync();
        writes.Acknowledge();
        Operations += writes.Count;
    }

    private async Task<uint> CommitUnheardAsync(PreparedWrites writes, uint expectedGeneration, CancellationToken cancellationToken)
    {
        uint? generation = null;
        foreignChanges.Pause();
        try
        {
            generation = await writes.CommitAsync(expectedGeneration, cancellationToken);
            return generation.Value;
        }
        finally
        {
            await foreignChanges.ResumeAsync(generation);
        }
    }

    private async Task<Refusal?> ExplainAsync(
        NftTransactionException refusal, List<PendingWrite> writes, CancellationToken cancellationToken)
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

        var blamed = new Dictionary<RuleOwner, string>();
        var failures = Causes(refusal.Failures);
        foreach (var failure in failures) Blame(failure, writes, blamed);
        if (blamed.Count == 0 && !_splitElements)
        {
            // An older kernel does not say which element it was: one message for each will tell.
            _splitElements = true;
            return null;
        }

        string[] shared = [.. failures.Select(failure => WriteOf(failure, writes)?.Object).OfType<string>().Distinct()];
        return new Refusal(blamed, shared, Describe(refusal, writes) + refusal.Message, refusal);
    }

    private static string Describe(NftTransactionException refusal, List<PendingWrite> writes) =>
        refusal.Failures.Any(failure => failure.IsOwnCheck) ? "The base rules cannot be written. "
        : refusal.Failures.Any(failure => WriteOf(failure, writes) is { } write && OwnerOf(write, failure.ElementIndex) is not null)
            ? "The kernel refuses the base rules. "
            : "The kernel refuses to remove what nothing asks for any more. ";

    // Once jumps are too many or too deep, the kernel refuses whatever else is added to the table for the same reason.
    private static List<NftFailure> Causes(IReadOnlyList<NftFailure> failures)
    {
        var first = failures.FirstOrDefault(failure => failure.Errno == TooManyJumps);
        return [.. failures.Where(failure => failure.Errno != TooManyJumps || ReferenceEquals(failure, first))];
    }

    private static void Blame(NftFailure failure, List<PendingWrite> writes, Dictionary<RuleOwner, string> blamed)
    {
        if (WriteOf(failure, writes) is not { } write) return;
        if (OwnerOf(write, failure.ElementIndex) is { Name: not null } owner)
            blamed.TryAdd(owner, $"{write.Text?.Invoke() ?? failure.Operation}: {NftErrorText.For(failure)}");
    }

    /// <summary>What the kernel refuses for good.</summary>
    /// <param name="Owners">The service ports whose own objects it refuses, each with the reason.</param>
    /// <param name="Shared">The chains and sets of all that it refuses.</param>
    /// <param name="Reason">Why, for an operator.</param>
    /// <param name="Cause">What it said.</param>
    private sealed record Refusal(Dictionary<RuleOwner, string> Owners, IReadOnlyCollection<string> Shared, string Reason, NftTransactionException Cause);

    private static PendingWrite? WriteOf(NftFailure failure, List<PendingWrite> writes) =>
        failure.OperationIndex >= 0 && failure.OperationIndex < writes.Count ? writes[failure.OperationIndex] : null;

    // When the kernel does not say which element it was, it is clear all the same if all of them are one owner's.
    private static RuleOwner? OwnerOf(PendingWrite write, int? elementIndex)
    {
        var owner = write.OwnerOf(elementIndex ?? 0);
        for (var i = 1; elementIndex is null && i < write.Count; i++)
            if (!Equals(write.OwnerOf(i), owner)) return null;
        return owner;
    }

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        var generation = await nftables.GetGenerationAsync(cancellationToken);
        if (await foreignChanges.SeenUntouchedAsync(generation, cancellationToken)) _generation = generation;
        else Known = false;
    }
}
