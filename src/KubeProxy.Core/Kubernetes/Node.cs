using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace KubeProxy.Core.Kubernetes;

/// <summary><c>v1 Node</c>.</summary>
public sealed record Node : KubernetesObject
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override ObjectKind Kind => ObjectKind.Node;

    /// <summary><c>spec</c>.</summary>
    [AllowNull]
    public NodeSpec Spec { get; init => field = value ?? new(); } = new();

    /// <summary><c>status</c>.</summary>
    [AllowNull]
    public NodeStatus Status { get; init => field = value ?? new(); } = new();
}

/// <summary><c>NodeSpec</c>.</summary>
public sealed record NodeSpec
{
    /// <summary><c>podCIDRs</c>: the blocks of the node's pods, for <c>detectLocalMode: NodeCIDR</c>.</summary>
    [AllowNull, JsonPropertyName("podCIDRs")]
    public IReadOnlyList<string> PodCidrs { get; init => field = value.OrEmpty(); } = [];

    /// <summary><c>taints</c>.</summary>
    [AllowNull]
    public IReadOnlyList<Taint> Taints { get; init => field = value.OrEmpty(); } = [];
}

/// <summary><c>Taint</c>.</summary>
public sealed record Taint
{
    /// <summary><c>key</c>.</summary>
    public string? Key { get; init; }
}

/// <summary><c>NodeStatus</c>.</summary>
public sealed record NodeStatus
{
    /// <summary><c>addresses</c>.</summary>
    [AllowNull]
    public IReadOnlyList<NodeAddress> Addresses { get; init => field = value.OrEmpty(); } = [];
}

/// <summary><c>NodeAddress</c>.</summary>
public sealed record NodeAddress
{
    /// <summary><c>type</c>: InternalIP, ExternalIP, or a kind of host name.</summary>
    public string? Type { get; init; }

    /// <summary><c>address</c>.</summary>
    public string? Address { get; init; }
}
