using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>What is done once the rules are in force for the first time.</summary>
internal sealed partial class FirstSync(
    ProxyEngine engine, CurrentConfiguration configuration, ServiceReadiness readiness, ProxyParts parts, TimeProvider time, ILogger<FirstSync> logger)
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
            readiness.Ready();
            await CleanOthersAsync(parts.CleanersAtStart(configuration.Value.Source), cancellationToken);
            await Task.Delay(SettleTime, time, cancellationToken);
            // Reading and programming the whole cluster takes many times the memory of what has to be kept, and a proxy that is
            // idle afterwards would never collect it. Once, when nothing is urgent.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        catch (OperationCanceledException)
        {
            // It ends before it has settled.
        }
    }

    /// <summary>
    /// Removes what another mode left. Not before: until its own rules are in force, those of the other mode are all that there is.
    /// </summary>
    private async Task CleanOthersAsync(IReadOnlyList<IRuleCleaner> cleaners, CancellationToken cancellationToken)
    {
        for (var wait = FirstRetry; ; wait = TimeSpan.FromTicks(Math.Min(2 * wait.Ticks, LastRetry.Ticks)))
        {
            List<IRuleCleaner> failed = [];
            foreach (var cleaner in cleaners)
                if (!await TryCleanAsync(cleaner, cancellationToken)) failed.Add(cleaner);
            if (failed.Count == 0) return;
            cleaners = failed;
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    private async Task<bool> TryCleanAsync(IRuleCleaner cleaner, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var removed in await cleaner.CleanAsync(cancellationToken)) LogRemoved(removed);
            return true;
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            LogCannotClean(cleaner.Subject, problem.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed {What}, which another mode left")]
    private partial void LogRemoved(string what);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What mode {Subject} may have left cannot be removed: {Reason}")]
    private partial void LogCannotClean(string subject, string reason);
}
