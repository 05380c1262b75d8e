using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace KubeProxy.Core.Kubernetes;

/// <summary><c>networking.k8s.io/v1 ServiceCIDR</c>: blocks from which cluster IPs are allocated.</summary>
public sealed record ServiceCIDR : KubernetesObject
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override ObjectKind Kind => ObjectKind.ServiceCIDR;

    /// <summary><c>spec</c>.</summary>
    [AllowNull]
    public ServiceCIDRSpec Spec { get; init => field = value ?? new(); } = new();
}

/// <summary><c>ServiceCIDRSpec</c>.</summary>
public sealed record ServiceCIDRSpec
{
    /// <summary><c>cidrs</c>: one or two blocks.</summary>
    [AllowNull]
    public IReadOnlyList<string> Cidrs { get; init => field = value.OrEmpty(); } = [];
}
