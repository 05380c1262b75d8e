using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Events;
using KubeProxy.Host.Sources;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>Runs the source and the engine until the process is asked to end. Rules stay.</summary>
internal sealed partial class ProxyService(
    ConnectedSource source, IProxySink sink, ProxyEngine engine, FirstSync firstSync, EventRecorder events, ProcessExit exit, ILogger<ProxyService> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Task[] tasks = [engine.RunAsync(stop.Token), source.Source.RunAsync(sink, stop.Token)];
        var side = Task.WhenAll(firstSync.FollowAsync(stop.Token), events.AboutNodeAsync("Normal", "Starting", "", stop.Token));
        var first = await Task.WhenAny(tasks);
        await stop.CancelAsync();
        await Task.WhenAll(tasks).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await side.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stoppingToken.IsCancellationRequested) return;
        var problem = first.Exception?.InnerException;
        LogEnded(problem?.Message ?? "it ended by itself", problem is null or ProxyBackendException ? null : problem);
        exit.Fail();
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The proxy cannot go on: {Reason}")]
    private partial void LogEnded(string reason, Exception? problem);
}
