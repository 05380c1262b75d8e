using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;

namespace KubeProxy.Core.Composition;

/// <summary>Runs an engine and what delivers objects to it.</summary>
/// <param name="engine">The engine.</param>
/// <param name="sink">What the sources deliver to: the engine, or something before it.</param>
/// <param name="sources">Where objects come from.</param>
public sealed class ProxyRunner(ProxyEngine engine, IProxySink sink, IEnumerable<IProxySource> sources)
{
    /// <summary>Until it is cancelled, or one of them cannot go on; then the others end as well. Rules stay in place.</summary>
    /// <exception cref="ProxyBackendException">A backend cannot start.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] tasks = [engine.RunAsync(stop.Token), .. sources.Select(source => source.RunAsync(sink, stop.Token))];
        var first = await Task.WhenAny(tasks);
        await stop.CancelAsync();
        await Task.WhenAll(tasks).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await first;
    }
}
