using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>Through which of the relay's ports a connection came, which says who it is from.</summary>
internal enum RelayEntrance
{
    /// <summary>Goes where the frontend says.</summary>
    Frontend,

    /// <summary>From a pod or this node, to an external frontend with policy Local: goes to any endpoint of the cluster.</summary>
    ShortCircuit,

    /// <summary>From this node, by its loopback address: goes where the frontend says, and all clients count as one.</summary>
    Localhost,
}

/// <summary>Where connections to a frontend go.</summary>
/// <param name="Service">The service port.</param>
/// <param name="Destination">Which of its endpoints, by the frontend.</param>
internal sealed record RelayTarget(RelayService Service, Destination Destination)
{
    /// <summary>Whether only endpoints on this node are chosen from.</summary>
    public bool LocalOnly(RelayEntrance entrance) => entrance != RelayEntrance.ShortCircuit && Destination == Destination.LocalEndpoints;
}
