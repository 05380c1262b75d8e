using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace KubeProxy.Core.Kubernetes;

/// <summary><c>discovery.k8s.io/v1 EndpointSlice</c>.</summary>
public sealed record EndpointSlice : KubernetesObject
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override ObjectKind Kind => ObjectKind.EndpointSlice;

    /// <summary><c>addressType</c>: IPv4, IPv6 or FQDN.</summary>
    public string? AddressType { get; init; }

    /// <summary><c>endpoints</c>.</summary>
    [AllowNull]
    public IReadOnlyList<Endpoint> Endpoints { get; init => field = value.OrEmpty(); } = [];

    /// <summary><c>ports</c>: every endpoint has all of them.</summary>
    [AllowNull]
    public IReadOnlyList<EndpointPort> Ports { get; init => field = value.OrEmpty(); } = [];
}

/// <summary><c>Endpoint</c>.</summary>
public sealed record Endpoint
{
    /// <summary><c>addresses</c>: only the first one counts.</summary>
    [AllowNull]
    public IReadOnlyList<string> Addresses { get; init => field = value.OrEmpty(); } = [];

    /// <summary><c>conditions</c>.</summary>
    public EndpointConditions? Conditions { get; init; }

    /// <summary><c>nodeName</c>: where the endpoint runs.</summary>
    public string? NodeName { get; init; }

    /// <summary><c>hints</c>: who should use the endpoint.</summary>
    public EndpointHints? Hints { get; init; }
}

/// <summary><c>EndpointConditions</c>.</summary>
public sealed record EndpointConditions
{
    /// <summary><c>ready</c>: missing means true.</summary>
    public bool? Ready { get; init; }

    /// <summary><c>serving</c>: missing means true.</summary>
    public bool? Serving { get; init; }

    /// <summary><c>terminating</c>: missing means false.</summary>
    public bool? Terminating { get; init; }

    /// <summary>Each combination, of three values (missing, false, true) for each of three fields.</summary>
    private static readonly EndpointConditions[] All = [.. Enumerable.Range(0, 27).Select(i => new EndpointConditions
    {
        Ready = OfDigit(i % 3),
        Serving = OfDigit(i / 3 % 3),
        Terminating = OfDigit(i / 9),
    })];

    /// <summary>The one instance with these values: a hundred thousand endpoints have few.</summary>
    public static EndpointConditions Of(bool? ready, bool? serving, bool? terminating) =>
        All[DigitOf(ready) + DigitOf(serving) * 3 + DigitOf(terminating) * 9];

    private static int DigitOf(bool? value) => value is { } known ? known ? 2 : 1 : 0;

    private static bool? OfDigit(int digit) => digit == 0 ? null : digit == 2;
}

/// <summary><c>EndpointHints</c>.</summary>
public sealed record EndpointHints
{
    /// <summary><c>forZones</c>.</summary>
    [AllowNull]
    public IReadOnlyList<TopologyHint> ForZones { get; init => field = value.OrEmpty(); } = [];

    /// <summary><c>forNodes</c>.</summary>
    [AllowNull]
    public IReadOnlyList<TopologyHint> ForNodes { get; init => field = value.OrEmpty(); } = [];
}

/// <summary><c>ForZone</c> or <c>ForNode</c>.</summary>
public sealed record TopologyHint
{
    /// <summary><c>name</c> of the zone or node.</summary>
    public string? Name { get; init; }
}

/// <summary><c>EndpointPort</c>.</summary>
public sealed record EndpointPort
{
    /// <summary><c>name</c>: that of the Service's port; missing means empty.</summary>
    public string? Name { get; init; }

    /// <summary><c>protocol</c>: TCP (also when missing), UDP or SCTP.</summary>
    public string? Protocol { get; init; }

    /// <summary><c>port</c>: missing means "all ports", which is of no use to a proxy.</summary>
    public int? Port { get; init; }
}
