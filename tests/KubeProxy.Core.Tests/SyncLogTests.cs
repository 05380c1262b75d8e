using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Sync;
using KubeProxy.TestKit;
using Microsoft.Extensions.Logging;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

/// <summary>What is logged at which level is in docs/operations.md.</summary>
public sealed class SyncLogTests
{
    [Fact]
    public async Task Service_ports_are_logged_at_the_lowest_level_only()
    {
        var token = TestContext.Current.CancellationToken;
        var time = new ManualTime();
        var logger = new ListLogger<ProxyEngine>();
        using var engine = new ProxyEngine(Options, [new RecordingBackend()], time, logger);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var running = engine.RunAsync(stop.Token);
        engine.Upsert(Service("web", "10.96.0.1"));
        engine.Upsert(Slice("web-a", "web", At("10.0.0.1"), At("10.0.0.2")));
        foreach (var kind in ObjectKinds.All) engine.MarkSynced(kind);
        await engine.WaitForSyncAsync(token);
        engine.Delete(ObjectKind.Service, Service("web", "10.96.0.1").Name);
        time.Advance(TimeSpan.FromMinutes(1));
        await engine.WaitForSyncAsync(token);
        await stop.CancelAsync();
        await running.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

        var lines = logger.Lines.ToLookup(line => line.Level, line => line.Message);
        Assert.Contains(lines[LogLevel.Trace], line => line.Contains("web", StringComparison.Ordinal) && line.Contains("1 frontends, 2 endpoints", StringComparison.Ordinal));
        Assert.Contains(lines[LogLevel.Trace], line => line.Contains("web", StringComparison.Ordinal) && line.EndsWith("is gone", StringComparison.Ordinal));
        Assert.Contains(lines[LogLevel.Debug], line => line.Contains("synced", StringComparison.Ordinal));
        Assert.DoesNotContain(logger.Lines, line => line.Level > LogLevel.Debug);
        Assert.DoesNotContain(lines[LogLevel.Debug], line => line.Contains("web", StringComparison.Ordinal));
    }
}
