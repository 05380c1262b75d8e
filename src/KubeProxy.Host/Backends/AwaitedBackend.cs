using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;

namespace KubeProxy.Host.Backends;

/// <summary>A backend that can be made only once something is known; until then its family has not started.</summary>
/// <param name="family">The family that it is to program.</param>
/// <param name="make">Waits for what has to be known, and makes the backend.</param>
internal sealed class AwaitedBackend(IpFamily family, Func<CancellationToken, Task<IProxyBackend>> make) : IProxyBackend
{
    private IProxyBackend? _made;

    public IpFamily Family => family;

    /// <summary>The backend; null as long as it is not made.</summary>
    public IProxyBackend? Made => _made;

    public async Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken)
    {
        _made = await make(cancellationToken);
        await _made.StartAsync(requestSync, cancellationToken);
    }

    public Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken) =>
        (_made ?? throw new InvalidOperationException("It has not started.")).SyncAsync(changes, cancellationToken);

    public ValueTask DisposeAsync() => _made?.DisposeAsync() ?? ValueTask.CompletedTask;
}
