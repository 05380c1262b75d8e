using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Rtnetlink;

namespace KubeProxy.Ipvs.Backend;

/// <summary>What the ipvs backend reaches the kernel with. Tests put in-memory ones in.</summary>
public sealed class IpvsBalancerParts : IDisposable
{
    /// <summary>The IPVS client.</summary>
    public required IIpvs Ipvs { get; init; }

    /// <summary>Makes the interface of virtual addresses, and its addresses.</summary>
    public required IRouteClient Routes { get; init; }

    /// <summary>The sysctls.</summary>
    public KernelSettings Settings { get; init; } = new();

    /// <summary>The version of the kernel, by which sysctls are chosen.</summary>
    public Version KernelVersion { get; init; } = Environment.OSVersion.Version;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Opens the sockets in the network namespace of the calling thread.</summary>
    /// <exception cref="Netlink.NetlinkException">The kernel has no generic netlink or no rtnetlink.</exception>
    public static IpvsBalancerParts Open() => new() { Ipvs = IpvsClient.Open(), Routes = RouteClient.Open() };

    /// <inheritdoc/>
    public void Dispose()
    {
        Ipvs.Dispose();
        Routes.Dispose();
    }
}
