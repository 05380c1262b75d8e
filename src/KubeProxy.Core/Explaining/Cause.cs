namespace KubeProxy.Core.Explaining;

/// <summary>Why something is not, or is otherwise, than one may expect.</summary>
public enum CauseKind
{
    /// <summary>There is no such Service.</summary>
    ServiceUnknown,

    /// <summary>Nothing has the address or port.</summary>
    TargetUnknown,

    /// <summary>The Service has no such port.</summary>
    PortUnknown,

    /// <summary>The Service is another proxy's, by its label.</summary>
    OtherProxy,

    /// <summary>Type ExternalName: DNS alone answers for it.</summary>
    ExternalName,

    /// <summary>Without a cluster IP: DNS answers with its endpoints.</summary>
    Headless,

    /// <summary>It has no cluster IP yet.</summary>
    NoClusterIP,

    /// <summary>Its object cannot be used.</summary>
    Unusable,

    /// <summary>The kernel refuses the service port.</summary>
    Quarantined,

    /// <summary>Another Service has the frontend.</summary>
    Conflict,

    /// <summary>The address may not be served, by the configuration or because it is somebody's.</summary>
    AddressNotAllowed,

    /// <summary>No EndpointSlice has endpoints for the port.</summary>
    NoEndpoints,

    /// <summary>There are EndpointSlices of the Service, and none of them has a port of this name and protocol.</summary>
    NoSlicePort,

    /// <summary>No endpoint can be used.</summary>
    NoneReady,

    /// <summary>Policy Local, and the endpoints that can be used are on other nodes.</summary>
    NoLocalEndpoints,

    /// <summary>Only some sources are allowed.</summary>
    SourceRanges,

    /// <summary>Source ranges that cannot be read: no source is allowed.</summary>
    SourcesUnreadable,

    /// <summary>No endpoint is ready, and those that end but still serve are used.</summary>
    Fallback,

    /// <summary>Topology hints that are ignored.</summary>
    HintsIgnored,

    /// <summary>Topology hints that decide.</summary>
    HintsUsed,

    /// <summary>Some endpoints are not used.</summary>
    EndpointsOut,

    /// <summary>A part of an object that cannot be used.</summary>
    Problem,

    /// <summary>The rules of this are not in force yet, or put in doubt.</summary>
    NotInForce,
}

/// <summary>One reason.</summary>
/// <param name="Kind">Its kind, for programs.</param>
/// <param name="Text">A sentence without its full stop, for people.</param>
public readonly record struct Cause(CauseKind Kind, string Text);
