using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Node;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Host.Migration;

/// <summary>Reads the objects once, and plans them as the running proxy would, for backends that program nothing.</summary>
/// <param name="interfaceAddresses">Lists the addresses of the node, for when there is no Node object.</param>
/// <param name="time">The clock.</param>
internal sealed class ClusterFactsReader(Func<IReadOnlyList<IpAddr>> interfaceAddresses, TimeProvider time)
{
    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>Reads them.</summary>
    /// <param name="source">Where the objects come from.</param>
    /// <param name="before">The options of the present mode.</param>
    /// <param name="after">The options of the mode to come.</param>
    /// <param name="timeout">How long to wait for all objects.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TimeoutException">They did not come; the message says what the source has to say about it.</exception>
    public async Task<ClusterFacts> ReadAsync(IProxySource source, ProxyOptions before, ProxyOptions after, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var engine = new ProxyEngine(before with { MinSyncPeriod = TimeSpan.Zero }, Families.Select(family => new IdleBackend(family)), time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = new CancellationTokenSource(timeout, time);
        using var expiry = timer.Token.Register(limit.Cancel);
        var sink = new NodeSink(engine, before.NodeName, interfaceAddresses, new NodeWatch(before.NodeName, false, NullLogger<NodeWatch>.Instance));
        var (running, reading) = (engine.RunAsync(stop.Token), source.RunAsync(sink, stop.Token));
        try
        {
            var synced = engine.WaitForSyncAsync(limit.Token);
            await await Task.WhenAny(synced, reading); // A source that cannot go on throws.
            await synced;
            var facts = Collect(engine, before.NodeName, after);
            return sink.HasNode ? facts : facts with { Unread = facts.Unread.Add($"there is no Node {before.NodeName}; --hostname-override (hostnameOverride) names another") };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(string.Join("; ", engine.GetStatus().Problems.Select(problem => problem.ToString()).Prepend($"not all objects came within {timeout.TotalSeconds:0} s")));
        }
        finally
        {
            await stop.CancelAsync();
            await ((Task)Task.WhenAll(running, reading)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static ClusterFacts Collect(ProxyEngine engine, string nodeName, ProxyOptions after)
    {
        ImmutableArray<NodePlan> NodePlans() =>
            [.. Families.Select(family => new NodePlan { Family = family, NodePortAddresses = [.. engine.GetNodePortBlocks(family)] })];

        var (plans, before) = (Families.SelectMany(engine.GetPlans).OrderBy(plan => plan.Name).ThenBy(plan => plan.Family), NodePlans());
        engine.Reconfigure(after with { MinSyncPeriod = TimeSpan.Zero });
        return new ClusterFacts
        {
            NodeName = nodeName, Plans = [.. plans], Before = before, After = NodePlans(),
            Unread = [.. engine.GetStatus().Problems.Where(problem => problem.Place.Length > 0).Select(problem => $"not read: {problem}")],
        };
    }

    private sealed class IdleBackend(IpFamily family) : IProxyBackend
    {
        public IpFamily Family => family;

        public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken) => Task.FromResult(new SyncResult());

        public ValueTask DisposeAsync() => default;
    }
}
