using KubeProxy.Core.Model;

namespace KubeProxy.Ipvs;

/// <summary>
/// What identifies a virtual service: an address, protocol and port, or a firewall mark. The kernel has at most one with a key
/// (<c>IPVS_SVC_ATTR_AF</c> to <c>IPVS_SVC_ATTR_FWMARK</c>, linux/ip_vs.h).
/// </summary>
public readonly record struct VirtualServiceKey
{
    /// <summary>A service by address.</summary>
    /// <param name="address">The virtual address.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="port">The port, 1 to 65535; 0, every port, is allowed by the kernel for persistent services.</param>
    public VirtualServiceKey(IpAddr address, Protocol protocol, ushort port) =>
        (Family, Address, Protocol, Port) = (address.Family, address, protocol, port);

    /// <summary>A service by the mark (<c>meta mark</c>) of its packets.</summary>
    /// <param name="family">The family of its packets.</param>
    /// <param name="firewallMark">The mark, not 0.</param>
    public VirtualServiceKey(IpFamily family, uint firewallMark)
    {
        ArgumentOutOfRangeException.ThrowIfZero(firewallMark);
        (Family, FirewallMark) = (family, firewallMark);
    }

    /// <summary>The family of the packets that it takes.</summary>
    public IpFamily Family { get; }

    /// <summary>The virtual address; null for a service by mark.</summary>
    public IpAddr? Address { get; }

    /// <summary>The protocol; without meaning for a service by mark.</summary>
    public Protocol Protocol { get; }

    /// <summary>The port; 0 for a service by mark.</summary>
    public ushort Port { get; }

    /// <summary>The mark; 0 for a service by address.</summary>
    public uint FirewallMark { get; }

    /// <summary>As ipvsadm writes it: <c>tcp 10.96.0.10:80</c>, <c>fwm 7</c> or <c>fwm 7 ipv6</c>.</summary>
    public override string ToString() => Address is { } address
        ? $"{Protocol.ToLowerName()} {new IpEndpoint(address, Port)}"
        : $"fwm {FirewallMark}{(Family == IpFamily.IPv6 ? " ipv6" : "")}";
}
