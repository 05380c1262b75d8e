using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Sources;

namespace KubeProxy.Host.Migration;

/// <summary>Reads the objects once, and plans them.</summary>
/// <param name="interfaceAddresses">Lists the addresses of the node, for when there is no Node object.</param>
/// <param name="time">The clock.</param>
internal sealed class ClusterFactsReader(Func<IReadOnlyList<IpAddr>> interfaceAddresses, TimeProvider time)
{
    /// <summary>Reads them.</summary>
    /// <param name="source">Where the objects come from.</param>
    /// <param name="before">The options of the present mode.</param>
    /// <param name="after">The options of the mode to come.</param>
    /// <param name="timeout">How long to wait for all objects.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TimeoutException">They did not come; the message says what the source has to say about it.</exception>
    public async Task<ClusterFacts> ReadAsync(IProxySource source, ProxyOptions before, ProxyOptions after, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var offline = await OfflineEngine.ReadAsync(source, before, interfaceAddresses, time, timeout, cancellationToken);
        var facts = Collect(offline.Engine, before.NodeName, after);
        return offline.Node is not null ? facts : facts with { Unread = facts.Unread.Add($"there is no Node {before.NodeName}; --hostname-override (hostnameOverride) names another") };
    }

    private static ClusterFacts Collect(ProxyEngine engine, string nodeName, ProxyOptions after)
    {
        ImmutableArray<NodePlan> NodePlans() =>
            [.. OfflineEngine.Families.Select(family => new NodePlan { Family = family, NodePortAddresses = [.. engine.GetNodePortBlocks(family)] })];

        var (plans, before) = (OfflineEngine.Families.SelectMany(engine.GetPlans).OrderBy(plan => plan.Name).ThenBy(plan => plan.Family), NodePlans());
        engine.Reconfigure(after with { MinSyncPeriod = TimeSpan.Zero });
        return new ClusterFacts
        {
            NodeName = nodeName, Plans = [.. plans], Before = before, After = NodePlans(),
            Unread = [.. engine.GetStatus().Problems.Where(problem => problem.Place.Length > 0).Select(problem => $"not read: {problem}")],
        };
    }
}
