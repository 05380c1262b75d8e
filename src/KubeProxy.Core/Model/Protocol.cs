namespace KubeProxy.Core.Model;

/// <summary>A transport protocol of a Service port. The values are the IANA protocol numbers.</summary>
public enum Protocol : byte
{
    /// <summary>TCP, also the default of the Kubernetes API.</summary>
    Tcp = 6,

    /// <summary>UDP.</summary>
    Udp = 17,

    /// <summary>SCTP.</summary>
    Sctp = 132,
}

/// <summary>Names of <see cref="Protocol"/> values.</summary>
public static class ProtocolNames
{
    /// <summary>The lower-case name used by nft, iptables and in object names: <c>tcp</c>, <c>udp</c> or <c>sctp</c>.</summary>
    public static string ToLowerName(this Protocol protocol) => protocol switch
    {
        Protocol.Tcp => "tcp",
        Protocol.Udp => "udp",
        Protocol.Sctp => "sctp",
        _ => ((byte)protocol).ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
