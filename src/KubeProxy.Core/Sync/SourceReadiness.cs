using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Core.Sync;

/// <summary>
/// Completes when enough has been delivered to sync: Services and EndpointSlices, and Nodes and ServiceCIDRs as well unless
/// they take too long. Syncing earlier would remove what the node still serves.
/// </summary>
internal sealed class SourceReadiness(TimeProvider time, TimeSpan nodeWait) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<ObjectKind> _synced = [];
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _patience;

    public Task Ready => _ready.Task;

    public IReadOnlyList<ObjectKind> Synced
    {
        get { lock (_gate) return [.. _synced.Order()]; }
    }

    public void MarkSynced(ObjectKind kind)
    {
        lock (_gate)
        {
            _synced.Add(kind);
            if (!_synced.Contains(ObjectKind.Service) || !_synced.Contains(ObjectKind.EndpointSlice)) return;
            if (_synced.Count == ObjectKinds.All.Count || nodeWait == TimeSpan.Zero) _ready.TrySetResult();
            else _patience ??= time.CreateTimer(_ => _ready.TrySetResult(), null, nodeWait, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_gate) _patience?.Dispose();
    }
}
