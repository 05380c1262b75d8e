using KubeProxy.Core.Explaining;
using KubeProxy.Core.History;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

/// <summary>What the engine remembers of changes.</summary>
public sealed class ChangeHistoryTests : IAsyncDisposable
{
    private readonly RecordingBackend _backend = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ProxyEngine _engine;
    private readonly Task _running;

    public ChangeHistoryTests()
    {
        _engine = new ProxyEngine(Options, [_backend]);
        _running = _engine.RunAsync(_stop.Token);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await ((Task)_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _engine.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task A_change_is_remembered_with_its_object_and_what_became_of_it()
    {
        _engine.Upsert(Service("web", "10.96.0.1"));
        foreach (var kind in ObjectKinds.All) _engine.MarkSynced(kind);
        await _engine.WaitForSyncAsync(Cancel);
        var slice = Slice("web-a", "web", At("10.0.0.1"));
        _engine.Upsert(slice with { Metadata = slice.Metadata with { ResourceVersion = "42" } });
        await _engine.WaitForSyncAsync(Cancel);
        _engine.Delete(ObjectKind.EndpointSlice, Named("web-a"));
        await _engine.WaitForSyncAsync(Cancel);

        var changes = _engine.GetChanges();
        Assert.Equal([3L, 2, 1], changes.Select(change => change.Number));
        Assert.Equal("EndpointSlice default/web-a (gone)", Assert.Single(changes[0].Causes).ToString());
        Assert.Equal("EndpointSlice default/web-a (resourceVersion 42)", Assert.Single(changes[1].Causes).ToString());
        Assert.Equal((1, 0), (changes[1].Updated, changes[1].Removed));
        Assert.Equal("Service default/web", Assert.Single(changes[2].Causes).ToString());
        Assert.Equal(3, _engine.Explain(new ExplainTarget.Service(Named("web"), null, null)).Ports[0].LastChange?.Number);
        Assert.Single(_engine.GetChanges(1));
    }

    [Fact]
    public async Task Of_many_changes_at_once_the_first_are_kept_and_all_are_counted()
    {
        for (var i = 0; i < 100; i++) _engine.Upsert(Service($"s{i}", $"10.96.0.{i + 1}"));
        foreach (var kind in ObjectKinds.All) _engine.MarkSynced(kind);
        await _engine.WaitForSyncAsync(Cancel);
        var change = Assert.Single(_engine.GetChanges());
        Assert.Equal((ChangeRecord.MostCauses, 100, 100), (change.Causes.Count, change.CauseCount, change.Updated));
    }

    [Fact]
    public void The_last_thousand_are_kept()
    {
        var log = new ChangeLog();
        for (var i = 0; i < 1500; i++)
            log.Add(new ChangeRecord { Family = IpFamily.IPv4, Time = DateTimeOffset.UnixEpoch, Duration = TimeSpan.Zero, Causes = [], CauseCount = 0 });
        var all = log.Newest(int.MaxValue);
        Assert.Equal((ChangeLog.Capacity, 1500L, 501L), (all.Count, all[0].Number, all[^1].Number));
    }
}
