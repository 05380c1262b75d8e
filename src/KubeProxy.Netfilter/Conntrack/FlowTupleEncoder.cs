using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Writes tuples, whole or the fields of them that a dump is filtered by.</summary>
internal static class FlowTupleEncoder
{
    // CTA_TUPLE_IP, CTA_TUPLE_PROTO, [CTA_TUPLE_ZONE]
    public static void Put<TAttribute>(NlMsgWriter writer, TAttribute attribute, in FlowTuple tuple) where TAttribute : unmanaged, Enum
    {
        using var nest = writer.BeginNested(attribute);
        using (writer.BeginNested(CtTupleAttribute.Ip))
        {
            PutAddress(writer, tuple.Source, isSource: true);
            PutAddress(writer, tuple.Destination, isSource: false);
        }

        using (writer.BeginNested(CtTupleAttribute.Protocol))
        {
            writer.PutU8(CtProtocolAttribute.Number, (byte)tuple.Protocol);
            if (tuple.Icmp is { } icmp)
            {
                var isV6 = tuple.Protocol == FlowProtocols.Icmpv6;
                writer.PutU16BigEndian(isV6 ? CtProtocolAttribute.Icmpv6Id : CtProtocolAttribute.IcmpId, icmp.Id);
                writer.PutU8(isV6 ? CtProtocolAttribute.Icmpv6Type : CtProtocolAttribute.IcmpType, icmp.Type);
                writer.PutU8(isV6 ? CtProtocolAttribute.Icmpv6Code : CtProtocolAttribute.IcmpCode, icmp.Code);
            }
            else
            {
                writer.PutU16BigEndian(CtProtocolAttribute.SourcePort, tuple.SourcePort);
                writer.PutU16BigEndian(CtProtocolAttribute.DestinationPort, tuple.DestinationPort);
            }
        }

        if (tuple.Zone is { } zone) writer.PutU16BigEndian(CtTupleAttribute.Zone, zone);
    }

    // The fields that are given, of one direction of a filter.
    public static void PutFiltered(NlMsgWriter writer, CtAttribute attribute, in FlowTupleFilter filter)
    {
        using var nest = writer.BeginNested(attribute);
        if (filter.Source is not null || filter.Destination is not null)
        {
            using var addresses = writer.BeginNested(CtTupleAttribute.Ip);
            if (filter.Source is { } source) PutAddress(writer, source, isSource: true);
            if (filter.Destination is { } destination) PutAddress(writer, destination, isSource: false);
        }

        if (filter.Protocol is not { } protocol) return;
        using var fields = writer.BeginNested(CtTupleAttribute.Protocol);
        writer.PutU8(CtProtocolAttribute.Number, (byte)protocol);
        if (filter.SourcePort is { } sourcePort) writer.PutU16BigEndian(CtProtocolAttribute.SourcePort, sourcePort);
        if (filter.DestinationPort is { } destinationPort) writer.PutU16BigEndian(CtProtocolAttribute.DestinationPort, destinationPort);
        var isV6 = protocol == FlowProtocols.Icmpv6;
        if (filter.IcmpId is { } id) writer.PutU16BigEndian(isV6 ? CtProtocolAttribute.Icmpv6Id : CtProtocolAttribute.IcmpId, id);
        if (filter.IcmpType is { } type) writer.PutU8(isV6 ? CtProtocolAttribute.Icmpv6Type : CtProtocolAttribute.IcmpType, type);
        if (filter.IcmpCode is { } code) writer.PutU8(isV6 ? CtProtocolAttribute.Icmpv6Code : CtProtocolAttribute.IcmpCode, code);
    }

    private static void PutAddress(NlMsgWriter writer, IpAddr address, bool isSource)
    {
        var attribute = (address.Family, isSource) switch
        {
            (IpFamily.IPv4, true) => CtIpAttribute.V4Source,
            (IpFamily.IPv4, false) => CtIpAttribute.V4Destination,
            (_, true) => CtIpAttribute.V6Source,
            (_, false) => CtIpAttribute.V6Destination,
        };
        address.WriteBytes(writer.ReserveBytes(attribute, address.Length));
    }
}
