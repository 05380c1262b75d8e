using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Reads flows from messages.</summary>
internal static class FlowDecoder
{
    // nfgenmsg, CTA_TUPLE_ORIG { CTA_TUPLE_IP { src, dst }, CTA_TUPLE_PROTO { number, ports } }, CTA_TUPLE_REPLY { same },
    // CTA_STATUS, CTA_MARK, CTA_ID, CTA_ZONE, and more that does not concern us
    /// <exception cref="NetlinkFormatException">The message is malformed, or has no tuples.</exception>
    public static Flow Decode(NlMessage message)
    {
        FlowTuple? original = null, reply = null;
        uint status = 0, mark = 0, id = 0;
        ushort zone = 0;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<CtAttribute>())
            {
                case CtAttribute.TupleOriginal: original = DecodeTuple(attribute.Nested()); break;
                case CtAttribute.TupleReply: reply = DecodeTuple(attribute.Nested()); break;
                case CtAttribute.Status: status = attribute.U32BigEndian(); break;
                case CtAttribute.Mark: mark = attribute.U32BigEndian(); break;
                case CtAttribute.Id: id = attribute.U32BigEndian(); break;
                case CtAttribute.Zone: zone = attribute.U16BigEndian(); break;
            }
        }

        if (original is not { } there || reply is not { } back) throw new NetlinkFormatException("A conntrack entry without tuples.");
        return new Flow(there, back, (FlowStatus)status, zone, mark, id);
    }

    private static FlowTuple DecodeTuple(NlAttributes attributes)
    {
        var tuple = default(FlowTuple);
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtTupleAttribute>())
            {
                case CtTupleAttribute.Ip: DecodeAddresses(attribute.Nested(), ref tuple); break;
                case CtTupleAttribute.Protocol: DecodeProtocol(attribute.Nested(), ref tuple); break;
            }
        }

        return tuple;
    }

    private static void DecodeAddresses(NlAttributes attributes, ref FlowTuple tuple)
    {
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtIpAttribute>())
            {
                case CtIpAttribute.V4Source: tuple = tuple with { Source = IpAddr.FromBytes(attribute.Exactly(4)) }; break;
                case CtIpAttribute.V4Destination: tuple = tuple with { Destination = IpAddr.FromBytes(attribute.Exactly(4)) }; break;
                case CtIpAttribute.V6Source: tuple = tuple with { Source = IpAddr.FromBytes(attribute.Exactly(16)) }; break;
                case CtIpAttribute.V6Destination: tuple = tuple with { Destination = IpAddr.FromBytes(attribute.Exactly(16)) }; break;
            }
        }
    }

    private static void DecodeProtocol(NlAttributes attributes, ref FlowTuple tuple)
    {
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtProtocolAttribute>())
            {
                case CtProtocolAttribute.Number: tuple = tuple with { Protocol = (Protocol)attribute.U8() }; break;
                case CtProtocolAttribute.SourcePort: tuple = tuple with { SourcePort = attribute.U16BigEndian() }; break;
                case CtProtocolAttribute.DestinationPort: tuple = tuple with { DestinationPort = attribute.U16BigEndian() }; break;
            }
        }
    }
}
