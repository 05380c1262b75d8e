using KubeProxy.Core.Sync;

namespace KubeProxy.Host.Composition;

/// <summary>The backends of all families, disposed when the program ends: after the sync loop, before the connection to the kernel.</summary>
internal sealed class RunningBackends(IEnumerable<IProxyBackend> backends) : IAsyncDisposable
{
    public IReadOnlyList<IProxyBackend> All { get; } = [.. backends];

    public async ValueTask DisposeAsync()
    {
        foreach (var backend in All) await backend.DisposeAsync();
    }
}
