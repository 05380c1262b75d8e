using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Explaining;

/// <summary>Decisions in words, for people.</summary>
public static class CauseWords
{
    /// <summary>Why an endpoint is in or out.</summary>
    public static string Of(EndpointVerdict verdict) => verdict switch
    {
        EndpointVerdict.Ready => "ready",
        EndpointVerdict.Fallback => "will end, but serves and none is ready",
        EndpointVerdict.NotReady => "not ready",
        EndpointVerdict.Terminating => "will end, and others are ready",
        EndpointVerdict.HintedElsewhere => "hinted to other zones or nodes",
        EndpointVerdict.OnOtherNode => "on another node",
        _ => verdict.ToString(),
    };
}
