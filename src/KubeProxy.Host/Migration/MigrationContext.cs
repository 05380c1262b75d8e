using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Migration;

/// <summary>All that checks look at.</summary>
/// <param name="Before">The configuration in force.</param>
/// <param name="After">The same configuration in the mode to come.</param>
/// <param name="Cluster">The services.</param>
/// <param name="Node">The node.</param>
internal sealed record MigrationContext(EffectiveConfiguration Before, EffectiveConfiguration After, ClusterFacts Cluster, NodeFacts Node)
{
    /// <summary>What the present mode does.</summary>
    public ModeTraits Old { get; } = ModeTraits.Of(Before.Mode);

    /// <summary>What the mode to come does.</summary>
    public ModeTraits New { get; } = ModeTraits.Of(After.Mode);

    /// <summary>Service ports that anything can be said to lead to.</summary>
    public IEnumerable<ServicePortPlan> Served => Cluster.Plans.Where(plan => plan.Frontends.Any(frontend => frontend.HasEndpoints));

    /// <summary>Subjects for service ports, each named once for both families.</summary>
    public static IEnumerable<FindingSubject> Ports(IEnumerable<ServicePortPlan> plans, Func<ServicePortPlan, string> detail) =>
        plans.GroupBy(plan => plan.Name).Select(group => new FindingSubject(group.Key.ToString(), detail(group.First())));

    /// <summary>Where node ports are open in a family.</summary>
    public static NodePlan OfFamily(IEnumerable<NodePlan> plans, IpFamily family) => plans.First(plan => plan.Family == family);

    /// <summary>How many tracked connections an address and node port has, as text; empty when that is not known.</summary>
    public string InUse(IpAddr address, Frontend frontend) => Node.Connections.TryGet(out var connections)
        ? connections.GetValueOrDefault(new NodePortAddress(address, frontend.Key.Protocol, frontend.Key.Port)) is > 0 and var count ? $"in use: {count} tracked" : "no tracked connection"
        : "";
}
