namespace KubeProxy.Core.Planning;

/// <summary>Whether an endpoint gets connections under a traffic policy, and why.</summary>
public enum EndpointVerdict
{
    /// <summary>In: it is ready.</summary>
    Ready,

    /// <summary>In: it is about to end but still serves, and none that could be used instead is ready.</summary>
    Fallback,

    /// <summary>Out: it is not ready.</summary>
    NotReady,

    /// <summary>Out: it is about to end, and others are ready.</summary>
    Terminating,

    /// <summary>Out: the topology hints give it to other nodes or zones.</summary>
    HintedElsewhere,

    /// <summary>Out: it is on another node, and the policy is Local.</summary>
    OnOtherNode,
}

/// <summary>What topology hints do, and where they do nothing, why.</summary>
public enum HintUse
{
    /// <summary>No ready endpoint has a hint.</summary>
    None,

    /// <summary>In force: the endpoints with a hint for this node are used.</summary>
    ThisNode,

    /// <summary>In force: the endpoints with a hint for this node's zone are used.</summary>
    ThisZone,

    /// <summary>Ignored: a ready endpoint has none, so that they are still being written.</summary>
    OneHasNone,

    /// <summary>Ignored: none is for this node or its zone, which would have nothing.</summary>
    NoneForHere,

    /// <summary>Ignored: they are of zones, and the zone of this node is not known.</summary>
    ZoneUnknown,
}

/// <summary>What is said of verdicts.</summary>
public static class EndpointVerdicts
{
    /// <summary>Whether the endpoint gets connections.</summary>
    public static bool IsIn(this EndpointVerdict verdict) => verdict is EndpointVerdict.Ready or EndpointVerdict.Fallback;

    /// <summary>Whether hints decide.</summary>
    public static bool IsInForce(this HintUse use) => use is HintUse.ThisNode or HintUse.ThisZone;
}
