namespace KubeProxy.Core.Planning;

/// <summary>
/// What decides about each endpoint of a service port: ready ones within the topology hints get connections, else those that terminate but
/// still serve. Made of all endpoints of the port; then asked about each.
/// </summary>
internal readonly struct EndpointRules
{
    private readonly string? _zone;
    private readonly bool _anyReady;
    private readonly bool _anyLocalReady;

    /// <summary>Looks at all endpoints.</summary>
    /// <param name="endpoints">All endpoints of the port.</param>
    /// <param name="zone">The zone of this node; null or empty when unknown.</param>
    public EndpointRules(ReadOnlySpan<EndpointState> endpoints, string? zone)
    {
        _zone = zone;
        bool allNode = true, anyNode = false, allZone = true, anyZone = false, anyHint = false, hasZone = !string.IsNullOrEmpty(zone);
        foreach (ref readonly var endpoint in endpoints)
        {
            AnyUsable |= endpoint.IsReady || endpoint.IsFallback;
            if (!endpoint.IsReady) continue;
            _anyReady = true;
            _anyLocalReady |= endpoint.IsLocal;
            var isNodeHinted = (endpoint.Flags & EndpointFlags.NodeHinted) != 0;
            allNode &= isNodeHinted;
            anyNode |= (endpoint.Flags & EndpointFlags.HintedToThisNode) != 0;
            allZone &= endpoint.ZoneHints is not null;
            anyZone |= hasZone && allZone && endpoint.IsHintedTo(zone!);
            anyHint |= isNodeHinted || endpoint.ZoneHints is not null;
        }

        Hints = !anyHint ? HintUse.None
            : allNode && anyNode ? HintUse.ThisNode
            : allZone && anyZone ? HintUse.ThisZone
            : !allNode && !allZone ? HintUse.OneHasNone
            : allZone && !hasZone ? HintUse.ZoneUnknown
            : HintUse.NoneForHere;
    }

    /// <summary>
    /// What hints do. They count only when every ready endpoint has one (otherwise the hints are being written) and one is for us (otherwise we
    /// would have nothing). Node hints go before zone hints.
    /// </summary>
    public HintUse Hints { get; }

    /// <summary>Whether any endpoint anywhere could take traffic.</summary>
    public bool AnyUsable { get; }

    /// <summary>For traffic that may leave the node.</summary>
    public EndpointVerdict JudgeForCluster(in EndpointState endpoint)
    {
        if (endpoint.IsReady) return IsHere(endpoint) ? EndpointVerdict.Ready : EndpointVerdict.HintedElsewhere;
        return JudgeUnready(endpoint, _anyReady); // A ready endpoint outside of the topology implies one inside.
    }

    /// <summary>For traffic that has to stay on the node. Hints are of no account.</summary>
    public EndpointVerdict JudgeForLocal(in EndpointState endpoint)
    {
        if (!endpoint.IsLocal) return EndpointVerdict.OnOtherNode;
        return endpoint.IsReady ? EndpointVerdict.Ready : JudgeUnready(endpoint, _anyLocalReady);
    }

    private static EndpointVerdict JudgeUnready(in EndpointState endpoint, bool isAnyReady) =>
        !endpoint.IsFallback ? EndpointVerdict.NotReady : isAnyReady ? EndpointVerdict.Terminating : EndpointVerdict.Fallback;

    private bool IsHere(in EndpointState endpoint) => Hints switch
    {
        HintUse.ThisNode => (endpoint.Flags & EndpointFlags.HintedToThisNode) != 0,
        HintUse.ThisZone => endpoint.IsHintedTo(_zone!),
        _ => true,
    };
}
