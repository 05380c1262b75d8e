using KubeProxy.Core.History;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Explaining;

/// <summary>What is the matter with a target on this node.</summary>
public sealed record Explanation
{
    /// <summary>What was asked for.</summary>
    public required ExplainTarget Target { get; init; }

    /// <summary>What there is to say when no service port is concerned, or before them; the most important first.</summary>
    public IReadOnlyList<Cause> Causes { get; init; } = [];

    /// <summary>The service ports that are concerned, those with a plan in the same words that the plan is made by. At most <see cref="MostPorts"/>.</summary>
    public IReadOnlyList<ServicePortExplanation> Ports { get; init; } = [];

    /// <summary>Service ports that are concerned and not in <see cref="Ports"/>.</summary>
    public int MorePorts { get; init; }

    /// <summary>The most service ports that are explained at once.</summary>
    public const int MostPorts = 16;
}

/// <summary>A service port of one family, and how its plan came to be.</summary>
public sealed record ServicePortExplanation
{
    /// <summary>The service port.</summary>
    public required ServicePortName Name { get; init; }

    /// <summary>The family.</summary>
    public required IpFamily Family { get; init; }

    /// <summary><c>spec.ports[].port</c>.</summary>
    public required ushort Port { get; init; }

    /// <summary><c>metadata.creationTimestamp</c>; null when unknown.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>internalTrafficPolicy Local.</summary>
    public bool InternalLocal { get; init; }

    /// <summary>externalTrafficPolicy Local.</summary>
    public bool ExternalLocal { get; init; }

    /// <summary>The timeout of session affinity; null for none.</summary>
    public TimeSpan? AffinityTimeout { get; init; }

    /// <summary>What is in force, or would be if the kernel took it; without the frontends that are not.</summary>
    public required ServicePortPlan Plan { get; init; }

    /// <summary>All frontends, also those that are not in force.</summary>
    public required IReadOnlyList<FrontendExplanation> Frontends { get; init; }

    /// <summary>All endpoints of the port, sorted, at most <see cref="MostEndpoints"/>.</summary>
    public required IReadOnlyList<EndpointExplanation> Endpoints { get; init; }

    /// <summary>How many endpoints there are.</summary>
    public required int EndpointCount { get; init; }

    /// <summary>What the topology hints do.</summary>
    public required HintUse Hints { get; init; }

    /// <summary>The reasons, the most important first.</summary>
    public required IReadOnlyList<Cause> Causes { get; init; }

    /// <summary>The last change of the Service, or of its endpoints, that was synced; null when it is not among those that are remembered.</summary>
    public ChangeRecord? LastChange { get; init; }

    /// <summary>The most endpoints that are listed; those that are out come before those that are in.</summary>
    public const int MostEndpoints = 100;
}

/// <summary>A frontend.</summary>
/// <param name="Frontend">As planned if nobody else claimed it.</param>
/// <param name="IsInForce">Whether it is.</param>
/// <param name="Reason">Why it is not; null when it is.</param>
/// <param name="Outcomes">What happens to connections, by client.</param>
public sealed record FrontendExplanation(Frontend Frontend, bool IsInForce, string? Reason, IReadOnlyList<ConnectionOutcome> Outcomes)
{
    /// <summary>Whether another Service has it.</summary>
    public bool IsConflict { get; init; }

    /// <summary>Whether connections are dropped whoever asks, because its source ranges cannot be read.</summary>
    public bool IsClosed { get; init; }
}

/// <summary>An endpoint.</summary>
/// <param name="Target">Address and port.</param>
/// <param name="Slice">An EndpointSlice that has it.</param>
/// <param name="IsLocal">Whether it runs on this node.</param>
/// <param name="ForCluster">Whether it is used for traffic that may go anywhere, and why.</param>
/// <param name="ForLocal">Whether it is used for traffic that has to stay on the node, and why.</param>
/// <param name="Zones">The zones that its hints name; null without hints.</param>
public sealed record EndpointExplanation(
    IpEndpoint Target, NamespacedName Slice, bool IsLocal, EndpointVerdict ForCluster, EndpointVerdict ForLocal, IReadOnlyList<string>? Zones);
