using k8s.Models;
using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Client;

/// <summary>The parts of a Service.</summary>
internal static class ServiceConversions
{
    public static ServiceSpec ToCore(this V1ServiceSpec spec) => new()
    {
        Type = spec.Type,
        ClusterIP = spec.ClusterIP,
        ClusterIPs = spec.ClusterIPs.ToCore(),
        IPFamilies = spec.IpFamilies.ToCore(),
        ExternalIPs = spec.ExternalIPs.ToCore(),
        LoadBalancerSourceRanges = spec.LoadBalancerSourceRanges.ToCore(),
        InternalTrafficPolicy = spec.InternalTrafficPolicy,
        ExternalTrafficPolicy = spec.ExternalTrafficPolicy,
        HealthCheckNodePort = spec.HealthCheckNodePort,
        SessionAffinity = spec.SessionAffinity,
        SessionAffinityConfig = spec.SessionAffinityConfig is { } config ? new() { ClientIP = config.ClientIP?.ToCore() } : null,
        Ports = spec.Ports.ToCore(ToCore),
    };

    public static LoadBalancerStatus ToCore(this V1LoadBalancerStatus status) => new()
    {
        Ingress = status.Ingress.ToCore(ingress => new LoadBalancerIngress { IP = ingress.Ip, IPMode = ingress.IpMode }),
    };

    private static ClientIPConfig ToCore(this V1ClientIPConfig config) => new() { TimeoutSeconds = config.TimeoutSeconds };

    private static ServicePort ToCore(V1ServicePort port) => new()
    {
        Name = port.Name,
        Protocol = port.Protocol,
        Port = port.Port,
        NodePort = port.NodePort,
    };
}
