using KubeProxy.Core.Composition;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Events;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>Runs the source and the engine until the process is asked to end. Rules stay.</summary>
internal sealed partial class ProxyService(
    ProxyRunner runner, FirstSync firstSync, EventRecorder events, ProcessExit exit, ILogger<ProxyService> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var running = runner.RunAsync(stop.Token);
        var side = Task.WhenAll(firstSync.FollowAsync(stop.Token), events.AboutNodeAsync("Normal", "Starting", "", stop.Token));
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await stop.CancelAsync();
        await side.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stoppingToken.IsCancellationRequested) return;
        var problem = running.Exception?.InnerException;
        LogEnded(problem?.Message ?? "it ended by itself", problem is null or ProxyBackendException ? null : problem);
        exit.Fail();
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The proxy cannot go on: {Reason}")]
    private partial void LogEnded(string reason, Exception? problem);
}
