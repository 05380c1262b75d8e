using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>What is done once the rules are in force for the first time.</summary>
internal sealed partial class FirstSync(
    ProxyEngine engine, CurrentConfiguration configuration, ServiceReadiness readiness, Leftovers leftovers, RivalWatch rivals, ProxyParts parts, TimeProvider time,
    ILogger<FirstSync> logger)
{
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(1);

    /// <summary>Waits for the first sync and does it.</summary>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        try
        {
            await engine.WaitForSyncAsync(cancellationToken);
            var failed = await CleanOthersAsync(parts.CleanersAtStart(configuration.Value.Source), [], cancellationToken);
            readiness.Ready();
            var retrying = RetryAsync(failed, cancellationToken);
            await Task.Delay(SettleTime, time, cancellationToken);
            // Reading and programming the whole cluster takes many times the memory of what has to be kept, and a proxy that is
            // idle afterwards would never collect it. Once, when nothing is urgent.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            await retrying;
        }
        catch (OperationCanceledException)
        {
            // It ends before it has settled.
        }
    }

    private async Task RetryAsync(IReadOnlyList<(IRuleCleaner Cleaner, string Reason)> failed, CancellationToken cancellationToken)
    {
        for (var wait = FirstRetry; failed.Count > 0; wait = TimeSpan.FromTicks(Math.Min(2 * wait.Ticks, LastRetry.Ticks)))
        {
            await Task.Delay(wait, time, cancellationToken);
            failed = await CleanOthersAsync([.. failed.Select(failure => failure.Cleaner)], failed, cancellationToken);
        }
    }

    /// <summary>
    /// Removes what another mode left. Not before the first sync: until its own rules are in force, those of the other mode are all that there is.
    /// </summary>
    /// <param name="cleaners">Remove it.</param>
    /// <param name="told">What is in the log already.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What cannot be removed, and why.</returns>
    private async Task<IReadOnlyList<(IRuleCleaner Cleaner, string Reason)>> CleanOthersAsync(
        IReadOnlyList<IRuleCleaner> cleaners, IReadOnlyList<(IRuleCleaner Cleaner, string Reason)> told, CancellationToken cancellationToken)
    {
        List<(IRuleCleaner Cleaner, string Reason)> failed = [];
        foreach (var cleaner in cleaners)
        {
            if (await TryCleanAsync(cleaner, cancellationToken) is not { } reason) continue;
            failed.Add((cleaner, reason));
            if (!told.Contains((cleaner, reason))) LogCannotClean(cleaner.Subject, reason);
        }

        leftovers.Set(failed);
        rivals.Recheck();
        return failed;
    }

    private async Task<string?> TryCleanAsync(IRuleCleaner cleaner, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var removed in await cleaner.CleanAsync(cancellationToken)) LogRemoved(removed);
            return null;
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            return problem.Message;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed {What}, which another mode left")]
    private partial void LogRemoved(string what);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What another mode may have left ({Subject}) cannot be removed, and is tried again: {Reason}")]
    private partial void LogCannotClean(string subject, string reason);
}
