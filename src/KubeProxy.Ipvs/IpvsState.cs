namespace KubeProxy.Ipvs;

/// <summary>A virtual service and what the kernel counted of it.</summary>
/// <param name="Service">How it is configured.</param>
/// <param name="Statistics">What passed through it.</param>
public sealed record VirtualServiceState(VirtualService Service, IpvsStatistics Statistics);

/// <summary>A destination and what the kernel counted of it.</summary>
/// <param name="Destination">How it is configured.</param>
/// <param name="ActiveConnections">Established connections.</param>
/// <param name="InactiveConnections">Other connections that are remembered: being closed, or of UDP.</param>
/// <param name="PersistentConnections">Clients that will come back to it.</param>
/// <param name="Statistics">What passed through it.</param>
public sealed record DestinationState(
    Destination Destination, uint ActiveConnections, uint InactiveConnections, uint PersistentConnections, IpvsStatistics Statistics)
{
    /// <summary>Whether any connection goes to it.</summary>
    public bool HasConnections => ActiveConnections > 0 || InactiveConnections > 0;
}

/// <summary>Counters since the object was made or zeroed, and rates of the last seconds (<c>IPVS_STATS_ATTR_*</c>).</summary>
/// <param name="Connections">Connections scheduled.</param>
/// <param name="PacketsIn">Packets from clients.</param>
/// <param name="PacketsOut">Packets to clients.</param>
/// <param name="BytesIn">Bytes from clients.</param>
/// <param name="BytesOut">Bytes to clients.</param>
/// <param name="ConnectionsPerSecond">Connections per second.</param>
/// <param name="PacketsInPerSecond">Packets from clients per second.</param>
/// <param name="PacketsOutPerSecond">Packets to clients per second.</param>
/// <param name="BytesInPerSecond">Bytes from clients per second.</param>
/// <param name="BytesOutPerSecond">Bytes to clients per second.</param>
public readonly record struct IpvsStatistics(
    ulong Connections, ulong PacketsIn, ulong PacketsOut, ulong BytesIn, ulong BytesOut,
    ulong ConnectionsPerSecond, ulong PacketsInPerSecond, ulong PacketsOutPerSecond, ulong BytesInPerSecond, ulong BytesOutPerSecond);

/// <summary>The kernel's IPVS (<c>IPVS_CMD_GET_INFO</c>).</summary>
/// <param name="Version">Its version, for example 1.2.1.</param>
/// <param name="ConnectionTableSize">The number of buckets of the table of connections.</param>
public sealed record IpvsInfo(Version Version, uint ConnectionTableSize);

/// <summary>How long connections are remembered, in whole seconds, of one network namespace (<c>IPVS_CMD_SET_CONFIG</c>).</summary>
/// <param name="Tcp">Established TCP connections; 15 minutes by default.</param>
/// <param name="TcpFin">TCP connections after the first FIN; 2 minutes by default.</param>
/// <param name="Udp">UDP flows; 5 minutes by default.</param>
public sealed record IpvsTimeouts(TimeSpan Tcp, TimeSpan TcpFin, TimeSpan Udp);
