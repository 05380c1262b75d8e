using k8s.Models;
using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes.Client;

/// <summary>
/// Makes objects of <c>KubeProxy.Core</c> of those of the package KubernetesClient, for tools that hold the latter already. The result is
/// what reading the same document would give, and a copy: later changes of the original do not reach it.
/// </summary>
/// <remarks>
/// Content is not checked here, as nowhere in Core's objects; lists that are missing are empty, and elements that are null are left out.
/// </remarks>
public static class ObjectConversions
{
    /// <summary>Core's Service.</summary>
    /// <exception cref="KubernetesObjectException">It has no <c>metadata.name</c>.</exception>
    public static Service ToCore(this V1Service service)
    {
        ArgumentNullException.ThrowIfNull(service);
        return Named(new Service
        {
            Metadata = service.Metadata?.ToCore(),
            Spec = service.Spec?.ToCore(),
            Status = new ServiceStatus { LoadBalancer = service.Status?.LoadBalancer?.ToCore() },
        });
    }

    /// <summary>Core's EndpointSlice.</summary>
    /// <exception cref="KubernetesObjectException">It has no <c>metadata.name</c>.</exception>
    public static EndpointSlice ToCore(this V1EndpointSlice slice)
    {
        ArgumentNullException.ThrowIfNull(slice);
        return Named(new EndpointSlice
        {
            Metadata = slice.Metadata?.ToCore(),
            AddressType = slice.AddressType,
            Endpoints = slice.Endpoints.ToCore(EndpointConversions.ToCore),
            Ports = slice.Ports.ToCore(EndpointConversions.ToCore),
        });
    }

    /// <summary>Core's Node.</summary>
    /// <exception cref="KubernetesObjectException">It has no <c>metadata.name</c>.</exception>
    public static Node ToCore(this V1Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return Named(new Node
        {
            Metadata = node.Metadata?.ToCore(),
            Spec = new NodeSpec
            {
                PodCidrs = node.Spec?.PodCIDRs.ToCore(),
                Taints = node.Spec?.Taints.ToCore(taint => new Taint { Key = taint.Key }),
            },
            Status = new NodeStatus
            {
                Addresses = node.Status?.Addresses.ToCore(address => new NodeAddress { Type = address.Type, Address = address.Address }),
            },
        });
    }

    /// <summary>Core's ServiceCIDR.</summary>
    /// <exception cref="KubernetesObjectException">It has no <c>metadata.name</c>.</exception>
    public static ServiceCIDR ToCore(this V1ServiceCIDR block)
    {
        ArgumentNullException.ThrowIfNull(block);
        return Named(new ServiceCIDR
        {
            Metadata = block.Metadata?.ToCore(),
            Spec = new ServiceCIDRSpec { Cidrs = block.Spec?.Cidrs.ToCore() },
        });
    }

    private static T Named<T>(T value) where T : KubernetesObject => (T)KubernetesObject.RequireName(value.Kind, value);
}
