using System.Globalization;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>One direction of a connection as the packets bear it.</summary>
/// <param name="Protocol">The transport protocol; also values that the enum does not name, such as those of <see cref="FlowProtocols"/>.</param>
/// <param name="Source">Where packets come from.</param>
/// <param name="Destination">Where packets go.</param>
/// <param name="SourcePort">The source port; of GRE the source key; 0 for protocols without ports.</param>
/// <param name="DestinationPort">The destination port; of GRE the destination key; 0 for protocols without ports.</param>
public readonly record struct FlowTuple(Protocol Protocol, IpAddr Source, IpAddr Destination, ushort SourcePort, ushort DestinationPort)
{
    /// <summary>What ICMP and ICMPv6 have instead of ports; null for other protocols.</summary>
    public FlowIcmp? Icmp { get; init; }

    /// <summary>
    /// The conntrack zone of this direction alone (CTA_TUPLE_ZONE); null when the zone, if any, is that of both directions: <see cref="Flow.Zone"/>.
    /// </summary>
    public ushort? Zone { get; init; }

    /// <summary>The answers to its packets when nothing is translated: the other way round, ICMP requests as replies. Without the zone.</summary>
    public FlowTuple Reverse() => new(Protocol, Destination, Source, DestinationPort, SourcePort) { Icmp = Icmp?.Reverse() };

    /// <summary>
    /// For example <c>udp 10.0.0.1:1234 > 10.96.0.10:53</c>, or <c>icmp 10.0.0.1 > 10.0.0.2 type 8 code 0 id 7</c>.
    /// </summary>
    public override string ToString()
    {
        var text = Icmp is { } icmp
            ? string.Create(CultureInfo.InvariantCulture,
                $"{FlowProtocols.Name(Protocol)} {Source} > {Destination} type {icmp.Type} code {icmp.Code} id {icmp.Id}")
            : $"{FlowProtocols.Name(Protocol)} {new IpEndpoint(Source, SourcePort)} > {new IpEndpoint(Destination, DestinationPort)}";
        return Zone is { } zone ? string.Create(CultureInfo.InvariantCulture, $"{text} zone {zone}") : text;
    }
}

/// <summary>What tells ICMP flows between the same addresses apart (RFC 792, RFC 4443).</summary>
/// <param name="Id">The identifier; 0 for messages without one.</param>
/// <param name="Type">The type of the message.</param>
/// <param name="Code">The code of the message.</param>
public readonly record struct FlowIcmp(ushort Id, byte Type, byte Code)
{
    /// <summary>The answer: request types become reply types and the other way round; other types stay.</summary>
    public FlowIcmp Reverse() => this with
    {
        Type = Type switch
        {
            0 => 8, // echo reply
            8 => 0,
            13 or 15 or 17 => (byte)(Type + 1), // timestamp, information, address mask request
            14 or 16 or 18 => (byte)(Type - 1),
            128 or 139 => (byte)(Type + 1), // ICMPv6 echo and node information requests
            129 or 140 => (byte)(Type - 1),
            _ => Type,
        },
    };
}
