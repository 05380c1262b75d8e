using System.Threading.Channels;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;

namespace KubeProxy.Core.Tests;

/// <summary>A backend that keeps what it is given, and does as told.</summary>
internal sealed class RecordingBackend(IpFamily family = IpFamily.IPv4) : IProxyBackend
{
    private readonly Channel<PlanChanges> _syncs = Channel.CreateUnbounded<PlanChanges>();

    public IpFamily Family => family;

    public Dictionary<ServicePortName, ServicePortPlan> Plans { get; } = [];

    public Func<PlanChanges, Task<SyncResult>> OnSync { get; set; } = _ => Task.FromResult(new SyncResult());

    public Exception? StartFailure { get; set; }

    public Action<string> RequestSync { get; private set; } = _ => { };

    public int PendingSyncs => _syncs.Reader.Count;

    public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken)
    {
        RequestSync = requestSync;
        return StartFailure is null ? Task.CompletedTask : Task.FromException(StartFailure);
    }

    public async Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
    {
        lock (Plans)
        {
            foreach (var plan in changes.Updated) Plans[plan.Name] = plan;
            foreach (var name in changes.Removed) Plans.Remove(name);
        }

        _syncs.Writer.TryWrite(changes);
        return await OnSync(changes);
    }

    /// <summary>Waits for the next sync.</summary>
    public async Task<PlanChanges> NextAsync() =>
        await _syncs.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
