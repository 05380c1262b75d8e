namespace KubeProxy.Core.Planning;

/// <summary>Where a connection comes from, as far as the rules tell apart.</summary>
public enum ClientKind
{
    /// <summary>A pod, as the detector of local traffic recognises it.</summary>
    Pod,

    /// <summary>This node.</summary>
    Node,

    /// <summary>Anywhere else.</summary>
    Outside,
}

/// <summary>What happens to new connections of one kind of client to a frontend.</summary>
/// <param name="Client">Who.</param>
/// <param name="Destination">What happens, unless the source is not allowed.</param>
/// <param name="Masquerade">Whether they get the node's address; hairpins always do.</param>
public readonly record struct ConnectionOutcome(ClientKind Client, Destination Destination, bool Masquerade)
{
    /// <summary>Of each kind of client.</summary>
    /// <param name="frontend">The frontend.</param>
    /// <param name="policy">Which connections to cluster IPs are masqueraded; null when that is not known here.</param>
    public static IReadOnlyList<ConnectionOutcome> Of(Frontend frontend, MasqueradePolicy? policy = null)
    {
        ArgumentNullException.ThrowIfNull(frontend);
        return [Of(ClientKind.Pod), Of(ClientKind.Node), Of(ClientKind.Outside)];

        ConnectionOutcome Of(ClientKind client)
        {
            if (frontend.Kind == FrontendKind.ClusterIP)
                return new(client, frontend.Destination, frontend.IsBalanced && policy is not null && (policy.All || (policy.LocalDetector is not null && client != ClientKind.Pod)));
            if (frontend.ShortCircuit && client != ClientKind.Outside) return new(client, Destination.ClusterEndpoints, client == ClientKind.Node);
            return new(client, frontend.Destination, frontend.Masquerade);
        }
    }
}
