using KubeProxy.Core.Model;

namespace KubeProxy.Ipvs;

/// <summary>
/// A destination (real server) of a virtual service as it is configured. Compared by value; what the kernel counts is in
/// <see cref="DestinationState"/>.
/// </summary>
public sealed record Destination
{
    /// <summary>
    /// Where connections go; no two destinations of a service are equal in it. The family may differ from that of the service only
    /// for tunnels. Port 0 stands for the port of the service where that is by mark.
    /// </summary>
    public required IpEndpoint Endpoint { get; init; }

    /// <summary>How packets get there.</summary>
    public ForwardingMethod Method { get; init; } = ForwardingMethod.Masquerade;

    /// <summary>The share of new connections, 0 to 65535; with 0 the destination keeps those it has and gets no new ones.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>The number of connections above which it gets no new ones; 0 for no limit.</summary>
    public uint UpperThreshold { get; init; }

    /// <summary>The number of connections below which it gets new ones again after it was full; 0 for three quarters of the upper one.</summary>
    public uint LowerThreshold { get; init; }

    /// <summary>How packets are wrapped with <see cref="ForwardingMethod.Tunnel"/>; null for IPIP.</summary>
    public DestinationTunnel? Tunnel { get; init; }
}

/// <summary>How packets get to a destination (<c>IP_VS_CONN_F_FWD_MASK</c>, linux/ip_vs.h).</summary>
public enum ForwardingMethod
{
    /// <summary>Destination NAT.</summary>
    Masquerade = 0, // IP_VS_CONN_F_MASQ

    /// <summary>The destination is this host.</summary>
    LocalNode = 1, // IP_VS_CONN_F_LOCALNODE

    /// <summary>Wrapped into another IP packet.</summary>
    Tunnel = 2, // IP_VS_CONN_F_TUNNEL

    /// <summary>Sent to the destination's link-layer address unchanged.</summary>
    DirectRoute = 3, // IP_VS_CONN_F_DROUTE

    /// <summary>Sent on to its original destination.</summary>
    Bypass = 4, // IP_VS_CONN_F_BYPASS
}

/// <summary>How packets are wrapped (<c>IPVS_DEST_ATTR_TUN_TYPE</c> to <c>IPVS_DEST_ATTR_TUN_FLAGS</c>).</summary>
/// <param name="Kind">The protocol.</param>
/// <param name="Port">The UDP port of <see cref="TunnelKind.Gue"/>, 1 to 65535; 0 for the others.</param>
/// <param name="Flags">Checksums.</param>
public sealed record DestinationTunnel(TunnelKind Kind, ushort Port = 0, TunnelFlags Flags = TunnelFlags.None);

/// <summary>The protocol of a tunnel (<c>IP_VS_CONN_F_TUNNEL_TYPE_*</c>).</summary>
public enum TunnelKind
{
    /// <summary>IP in IP.</summary>
    Ipip = 0, // IP_VS_CONN_F_TUNNEL_TYPE_IPIP

    /// <summary>Generic UDP encapsulation.</summary>
    Gue = 1, // IP_VS_CONN_F_TUNNEL_TYPE_GUE

    /// <summary>Generic routing encapsulation.</summary>
    Gre = 2, // IP_VS_CONN_F_TUNNEL_TYPE_GRE
}

/// <summary>Checksums of a tunnel (<c>IP_VS_TUNNEL_ENCAP_FLAG_*</c>).</summary>
[Flags]
public enum TunnelFlags
{
    /// <summary>None.</summary>
    None = 0, // IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM

    /// <summary>The outer packet has one.</summary>
    Checksum = 1, // IP_VS_TUNNEL_ENCAP_FLAG_CSUM

    /// <summary>The inner one is computed at the other end (GUE remote checksum offload).</summary>
    RemoteChecksum = 2, // IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM
}
