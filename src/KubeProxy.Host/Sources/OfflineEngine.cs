using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Node;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Host.Sources;

/// <summary>An engine that has read all objects once and planned them as the running proxy would, over backends that program nothing.</summary>
internal sealed class OfflineEngine : IDisposable
{
    private OfflineEngine(ProxyEngine engine) => Engine = engine;

    /// <summary>The families that are planned.</summary>
    public static ImmutableArray<IpFamily> Families { get; } = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>The engine. It does not run any more.</summary>
    public ProxyEngine Engine { get; }

    /// <summary>The object of this node; null when there is none.</summary>
    public Core.Kubernetes.Node? Node { get; private set; }

    /// <summary>Reads them.</summary>
    /// <param name="source">Where the objects come from.</param>
    /// <param name="options">The node.</param>
    /// <param name="interfaceAddresses">Lists the addresses of the node, for when there is no Node object.</param>
    /// <param name="time">The clock.</param>
    /// <param name="timeout">How long to wait for all objects.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TimeoutException">They did not come; the message says what the source has to say about it.</exception>
    public static async Task<OfflineEngine> ReadAsync(
        IProxySource source, ProxyOptions options, Func<IReadOnlyList<IpAddr>> interfaceAddresses, TimeProvider time, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var engine = new ProxyEngine(options with { MinSyncPeriod = TimeSpan.Zero }, Families.Select(family => new IdleBackend(family)), time);
        var result = new OfflineEngine(engine);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = new CancellationTokenSource(timeout, time);
        using var expiry = timer.Token.Register(limit.Cancel);
        var watch = new NodeWatch(options.NodeName, false, NullLogger<NodeWatch>.Instance);
        watch.Looked += node => result.Node = node;
        var sink = new NodeSink(engine, options.NodeName, interfaceAddresses, watch);
        var (running, reading) = (engine.RunAsync(stop.Token), source.RunAsync(sink, stop.Token));
        try
        {
            var synced = engine.WaitForSyncAsync(limit.Token);
            await await Task.WhenAny(synced, reading); // A source that cannot go on throws.
            await synced;
            return result;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var problems = engine.GetStatus().Problems.Select(problem => problem.ToString());
            engine.Dispose();
            throw new TimeoutException(string.Join("; ", problems.Prepend($"not all objects came within {timeout.TotalSeconds:0} s")));
        }
        finally
        {
            await stop.CancelAsync();
            await ((Task)Task.WhenAll(running, reading)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Engine.Dispose();

    private sealed class IdleBackend(IpFamily family) : IProxyBackend
    {
        public IpFamily Family => family;

        public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken) => Task.FromResult(new SyncResult());

        public ValueTask DisposeAsync() => default;
    }
}
