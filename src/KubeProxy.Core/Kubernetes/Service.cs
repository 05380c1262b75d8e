using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace KubeProxy.Core.Kubernetes;

/// <summary><c>v1 Service</c>.</summary>
public sealed record Service : KubernetesObject
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override ObjectKind Kind => ObjectKind.Service;

    /// <summary><c>spec</c>.</summary>
    [AllowNull]
    public ServiceSpec Spec { get; init => field = value ?? new(); } = new();

    /// <summary><c>status</c>.</summary>
    [AllowNull]
    public ServiceStatus Status { get; init => field = value ?? new(); } = new();
}

/// <summary><c>ServiceSpec</c>.</summary>
public sealed record ServiceSpec
{
    /// <summary><c>type</c>: ClusterIP (also when missing), NodePort, LoadBalancer or ExternalName.</summary>
    public string? Type { get; init; }

    /// <summary><c>clusterIP</c>: an address, <c>None</c> for a headless Service, or empty.</summary>
    public string? ClusterIP { get; init; }

    /// <summary><c>clusterIPs</c>: in the order of <see cref="IPFamilies"/>.</summary>
    [AllowNull]
    public IReadOnlyList<string> ClusterIPs { get; init => field = value.OrEmpty(); } = [];

    /// <summary><c>ipFamilies</c>: <c>IPv4</c>, <c>IPv6</c>.</summary>
    [AllowNull, JsonPropertyName("ipFamilies")]
    public IReadOnlyList<string> IPFamilies { get; init => field = value.OrEmpty(); } = [];

    /// <summary><c>externalIPs</c>.</summary>
    [AllowNull]
    public IReadOnlyList<string> ExternalIPs { get; init => field = value.OrEmpty(); } = [];

    /// <summary><c>loadBalancerSourceRanges</c>: CIDR blocks.</summary>
    [AllowNull]
    public IReadOnlyList<string> LoadBalancerSourceRanges { get; init => field = value.OrEmpty(); } = [];

    /// <summary><c>internalTrafficPolicy</c>: Cluster (also when missing) or Local.</summary>
    public string? InternalTrafficPolicy { get; init; }

    /// <summary><c>externalTrafficPolicy</c>: Cluster (also when missing) or Local.</summary>
    public string? ExternalTrafficPolicy { get; init; }

    /// <summary><c>healthCheckNodePort</c>.</summary>
    public int? HealthCheckNodePort { get; init; }

    /// <summary><c>sessionAffinity</c>: None (also when missing) or ClientIP.</summary>
    public string? SessionAffinity { get; init; }

    /// <summary><c>sessionAffinityConfig</c>.</summary>
    public SessionAffinityConfig? SessionAffinityConfig { get; init; }

    /// <summary><c>ports</c>.</summary>
    [AllowNull]
    public IReadOnlyList<ServicePort> Ports { get; init => field = value.OrEmpty(); } = [];
}

/// <summary><c>SessionAffinityConfig</c>.</summary>
public sealed record SessionAffinityConfig
{
    /// <summary><c>clientIP</c>.</summary>
    public ClientIPConfig? ClientIP { get; init; }
}

/// <summary><c>ClientIPConfig</c>.</summary>
public sealed record ClientIPConfig
{
    /// <summary><c>timeoutSeconds</c>: 1 to 86,400; 10,800 when missing.</summary>
    public int? TimeoutSeconds { get; init; }
}

/// <summary><c>ServicePort</c>. <c>targetPort</c> is for those who write EndpointSlices, not for a proxy.</summary>
public sealed record ServicePort
{
    /// <summary><c>name</c>; may be missing when the Service has one port.</summary>
    public string? Name { get; init; }

    /// <summary><c>protocol</c>: TCP (also when missing), UDP or SCTP.</summary>
    public string? Protocol { get; init; }

    /// <summary><c>port</c>.</summary>
    public int? Port { get; init; }

    /// <summary><c>nodePort</c>; 0 or missing for none.</summary>
    public int? NodePort { get; init; }
}

/// <summary><c>ServiceStatus</c>.</summary>
public sealed record ServiceStatus
{
    /// <summary><c>loadBalancer</c>.</summary>
    public LoadBalancerStatus? LoadBalancer { get; init; }
}

/// <summary><c>LoadBalancerStatus</c>.</summary>
public sealed record LoadBalancerStatus
{
    /// <summary><c>ingress</c>.</summary>
    [AllowNull]
    public IReadOnlyList<LoadBalancerIngress> Ingress { get; init => field = value.OrEmpty(); } = [];
}

/// <summary><c>LoadBalancerIngress</c>.</summary>
public sealed record LoadBalancerIngress
{
    /// <summary><c>ip</c>; missing when the load balancer has only a host name.</summary>
    public string? IP { get; init; }

    /// <summary><c>ipMode</c>: VIP (also when missing) or Proxy: then the node must not answer for the address.</summary>
    [JsonPropertyName("ipMode")]
    public string? IPMode { get; init; }
}
