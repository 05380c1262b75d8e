using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Writes requests about flows.</summary>
internal static class FlowEncoder
{
    private const byte AnyFamily = 0; // AF_UNSPEC

    // nfgenmsg, [CTA_MARK, CTA_MARK_MASK], [CTA_STATUS, CTA_STATUS_MASK], [CTA_TUPLE_ORIG { the fields filtered by }, CTA_FILTER { which fields these are }]
    /// <param name="writer">The writer.</param>
    /// <param name="filter">Which flows.</param>
    /// <param name="inKernel">
    /// Whether to have the kernel filter by more than the family: by tuple (Linux 5.8; older ones ignore it), by state (Linux 5.15; likewise), and by mark.
    /// </param>
    public static void PutDump(NlMsgWriter writer, FlowFilter filter, bool inKernel)
    {
        var family = filter.EffectiveFamily is { } wanted ? Family(wanted) : AnyFamily;
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)CtMessage.Get, NlMsgFlags.None, family);
        if (!inKernel) return;
        if (filter.Mark is { } mark)
        {
            writer.PutU32BigEndian(CtAttribute.Mark, mark & filter.MarkMask);
            writer.PutU32BigEndian(CtAttribute.MarkMask, filter.MarkMask);
        }

        if (filter is { Status: { } status, StatusMask: not FlowStatus.None })
        {
            writer.PutU32BigEndian(CtAttribute.Status, (uint)(status & filter.StatusMask));
            writer.PutU32BigEndian(CtAttribute.StatusMask, (uint)filter.StatusMask);
        }

        if (Fields(filter) is var fields and not CtFilterFields.None) PutTupleFilter(writer, filter, fields);
    }

    // nfgenmsg, CTA_TUPLE_REPLY { CTA_TUPLE_IP, CTA_TUPLE_PROTO }
    public static void PutGetByReply(NlMsgWriter writer, in FlowTuple reply)
    {
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)CtMessage.Get, NlMsgFlags.None, Family(reply.Source.Family));
        using (writer.BeginNested(CtAttribute.TupleReply)) PutTuple(writer, reply);
    }

    // nfgenmsg, CTA_TUPLE_ORIG { CTA_TUPLE_IP, CTA_TUPLE_PROTO }, [CTA_ZONE], [CTA_ID]
    public static void PutDelete(NlMsgWriter writer, in Flow flow)
    {
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)CtMessage.Delete, NlMsgFlags.None, Family(flow.Family));
        using (writer.BeginNested(CtAttribute.TupleOriginal)) PutTuple(writer, flow.Original);
        if (flow.Zone != 0) writer.PutU16BigEndian(CtAttribute.Zone, flow.Zone);
        if (flow.Id != 0) writer.PutU32BigEndian(CtAttribute.Id, flow.Id);
    }

    private static CtFilterFields Fields(FlowFilter filter)
    {
        var fields = CtFilterFields.None;
        if (filter.OriginalDestination is not null) fields |= CtFilterFields.IpDestination;
        if (filter.Protocol is null) return fields;
        fields |= CtFilterFields.ProtocolNumber;
        return filter.OriginalDestinationPort is null ? fields : fields | CtFilterFields.DestinationPort;
    }

    private static void PutTupleFilter(NlMsgWriter writer, FlowFilter filter, CtFilterFields fields)
    {
        using (writer.BeginNested(CtAttribute.TupleOriginal))
        {
            if (filter.OriginalDestination is { } destination)
            {
                using (writer.BeginNested(CtTupleAttribute.Ip)) PutAddress(writer, destination, isSource: false);
            }

            if (filter.Protocol is { } protocol)
            {
                using (writer.BeginNested(CtTupleAttribute.Protocol))
                {
                    writer.PutU8(CtProtocolAttribute.Number, (byte)protocol);
                    if (filter.OriginalDestinationPort is { } port) writer.PutU16BigEndian(CtProtocolAttribute.DestinationPort, port);
                }
            }
        }

        using (writer.BeginNested(CtAttribute.Filter)) writer.PutU32(CtFilterAttribute.OriginalFlags, (uint)fields);
    }

    private static void PutTuple(NlMsgWriter writer, in FlowTuple tuple)
    {
        using (writer.BeginNested(CtTupleAttribute.Ip))
        {
            PutAddress(writer, tuple.Source, isSource: true);
            PutAddress(writer, tuple.Destination, isSource: false);
        }

        using (writer.BeginNested(CtTupleAttribute.Protocol))
        {
            writer.PutU8(CtProtocolAttribute.Number, (byte)tuple.Protocol);
            writer.PutU16BigEndian(CtProtocolAttribute.SourcePort, tuple.SourcePort);
            writer.PutU16BigEndian(CtProtocolAttribute.DestinationPort, tuple.DestinationPort);
        }
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

    private static byte Family(IpFamily family) => family == IpFamily.IPv4 ? (byte)2 : (byte)10; // AF_INET, AF_INET6
}
