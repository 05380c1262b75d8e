using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Host.Migration;

/// <summary>What the services of the cluster mean on this node.</summary>
internal sealed record ClusterFacts
{
    /// <summary>The name of the node.</summary>
    public required string NodeName { get; init; }

    /// <summary>The plans of all service ports of both families, sorted by name.</summary>
    public required ImmutableArray<ServicePortPlan> Plans { get; init; }

    /// <summary>Where node ports are open in the present mode, a plan for each family.</summary>
    public required ImmutableArray<NodePlan> Before { get; init; }

    /// <summary>Where node ports will be open.</summary>
    public required ImmutableArray<NodePlan> After { get; init; }

    /// <summary>What could not be read at all: files, objects. Nothing is known of it.</summary>
    public ImmutableArray<string> Unread { get; init; } = [];

    /// <summary>The node ports, each with its service port.</summary>
    public IEnumerable<(ServicePortPlan Plan, Frontend Frontend)> NodePorts =>
        Plans.SelectMany(plan => plan.Frontends.Where(frontend => frontend.Kind == FrontendKind.NodePort).Select(frontend => (plan, frontend)));
}
