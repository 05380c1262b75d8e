using k8s.Models;
using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Client;

/// <summary>The parts of an EndpointSlice.</summary>
internal static class EndpointConversions
{
    public static Endpoint ToCore(V1Endpoint endpoint) => new()
    {
        Addresses = endpoint.Addresses.ToCore(),
        Conditions = endpoint.Conditions is { } conditions
            ? EndpointConditions.Of(conditions.Ready, conditions.Serving, conditions.Terminating)
            : null,
        NodeName = endpoint.NodeName,
        Hints = endpoint.Hints is { } hints
            ? new EndpointHints
            {
                ForZones = hints.ForZones.ToCore(zone => new TopologyHint { Name = zone.Name }),
                ForNodes = hints.ForNodes.ToCore(node => new TopologyHint { Name = node.Name }),
            }
            : null,
    };

    public static EndpointPort ToCore(Discoveryv1EndpointPort port) => new()
    {
        Name = port.Name,
        Protocol = port.Protocol,
        Port = port.Port,
    };
}
