using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Reads tuples: of flows and of expectations.</summary>
internal static class FlowTupleDecoder
{
    // CTA_TUPLE_IP { src, dst }, CTA_TUPLE_PROTO { number, ports or the fields of ICMP }, [CTA_TUPLE_ZONE]
    /// <exception cref="NetlinkFormatException">It is malformed.</exception>
    public static FlowTuple Decode(NlAttributes attributes)
    {
        var tuple = default(FlowTuple);
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtTupleAttribute>())
            {
                case CtTupleAttribute.Ip: DecodeAddresses(attribute.Nested(), ref tuple); break;
                case CtTupleAttribute.Protocol: DecodeProtocol(attribute.Nested(), ref tuple); break;
                case CtTupleAttribute.Zone: tuple = tuple with { Zone = attribute.U16BigEndian() }; break;
            }
        }

        return tuple;
    }

    private static void DecodeAddresses(NlAttributes attributes, ref FlowTuple tuple)
    {
        IpAddr source = default, destination = default;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtIpAttribute>())
            {
                case CtIpAttribute.V4Source: source = IpAddr.FromBytes(attribute.Exactly(4)); break;
                case CtIpAttribute.V4Destination: destination = IpAddr.FromBytes(attribute.Exactly(4)); break;
                case CtIpAttribute.V6Source: source = IpAddr.FromBytes(attribute.Exactly(16)); break;
                case CtIpAttribute.V6Destination: destination = IpAddr.FromBytes(attribute.Exactly(16)); break;
            }
        }

        tuple = tuple with { Source = source, Destination = destination };
    }

    private static void DecodeProtocol(NlAttributes attributes, ref FlowTuple tuple)
    {
        byte protocol = 0, type = 0, code = 0;
        ushort sourcePort = 0, destinationPort = 0, id = 0;
        var isIcmp = false;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtProtocolAttribute>())
            {
                case CtProtocolAttribute.Number: protocol = attribute.U8(); break;
                case CtProtocolAttribute.SourcePort: sourcePort = attribute.U16BigEndian(); break;
                case CtProtocolAttribute.DestinationPort: destinationPort = attribute.U16BigEndian(); break;
                case CtProtocolAttribute.IcmpId or CtProtocolAttribute.Icmpv6Id: (id, isIcmp) = (attribute.U16BigEndian(), true); break;
                case CtProtocolAttribute.IcmpType or CtProtocolAttribute.Icmpv6Type: (type, isIcmp) = (attribute.U8(), true); break;
                case CtProtocolAttribute.IcmpCode or CtProtocolAttribute.Icmpv6Code: (code, isIcmp) = (attribute.U8(), true); break;
            }
        }

        tuple = tuple with
        {
            Protocol = (Protocol)protocol, SourcePort = sourcePort, DestinationPort = destinationPort,
            Icmp = isIcmp ? new FlowIcmp(id, type, code) : null,
        };
    }
}
