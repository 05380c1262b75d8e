using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;

namespace KubeProxy.Netfilter.Tests.Cases;

/// <summary>A backend that an engine gave the plans of objects to.</summary>
/// <param name="Changes">What the engine asked for, sync by sync.</param>
/// <param name="Results">What the backend did.</param>
internal sealed record Fed(IReadOnlyList<PlanChanges> Changes, IReadOnlyList<SyncResult> Results)
{
    /// <summary>Starts the backend and gives it the objects, each portion once the one before it is in force. The backend lives on.</summary>
    /// <exception cref="ProxyBackendException">The backend failed.</exception>
    public static async Task<Fed> Async(IProxyBackend backend, ProxyOptions options, IEnumerable<IReadOnlyList<KubernetesObject>> portions)
    {
        var watched = new Watched(backend);
        using var engine = new ProxyEngine(options, [watched]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var source = new InMemoryProxySource();
        Task? running = null;
        foreach (var portion in portions)
        {
            source.Set(portion);
            running ??= Task.WhenAll(source.RunAsync(engine, stop.Token), engine.RunAsync(stop.Token));
            var synced = engine.WaitForSyncAsync(stop.Token);
            await await Task.WhenAny(synced, watched.Failed, running);
        }

        await stop.CancelAsync();
        if (running is not null) await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return new Fed(watched.Changes, watched.Results);
    }

    /// <summary>Keeps what goes by. A failure is final, though the engine would try again.</summary>
    private sealed class Watched(IProxyBackend inner) : IProxyBackend
    {
        private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<PlanChanges> Changes { get; } = [];

        public List<SyncResult> Results { get; } = [];

        public Task Failed => _failed.Task;

        public IpFamily Family => inner.Family;

        public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) => inner.StartAsync(requestSync, cancellationToken);

        public async Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
        {
            try
            {
                Changes.Add(changes);
                var result = await inner.SyncAsync(changes, cancellationToken);
                Results.Add(result);
                return result;
            }
            catch (Exception e)
            {
                _failed.TrySetException(e);
                throw;
            }
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
