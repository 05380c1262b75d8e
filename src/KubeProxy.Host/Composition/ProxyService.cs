using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>Runs the source and the engine until the process is asked to end. Rules stay.</summary>
internal sealed partial class ProxyService(
    IProxySource source, IProxySink sink, ProxyEngine engine, ProcessExit exit, TimeProvider time, ILogger<ProxyService> logger) : BackgroundService
{
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(3);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Task[] tasks = [engine.RunAsync(stop.Token), source.RunAsync(sink, stop.Token)];
        _ = ReturnMemoryAsync(stop.Token);
        var first = await Task.WhenAny(tasks);
        await stop.CancelAsync();
        await Task.WhenAll(tasks).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        if (stoppingToken.IsCancellationRequested) return;
        var problem = first.Exception?.InnerException;
        LogEnded(problem?.Message ?? "it ended by itself", problem is null or ProxyBackendException ? null : problem);
        exit.Fail();
    }

    // Reading and programming the whole cluster takes many times the memory of what has to be kept, and a proxy that is idle
    // afterwards would never collect it. Once, when nothing is urgent.
    private async Task ReturnMemoryAsync(CancellationToken cancellationToken)
    {
        try
        {
            await engine.WaitForSyncAsync(cancellationToken);
            await Task.Delay(SettleTime, time, cancellationToken);
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        catch (OperationCanceledException)
        {
            // It ends before it has settled.
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The proxy cannot go on: {Reason}")]
    private partial void LogEnded(string reason, Exception? problem);
}
