using System.Buffers.Binary;
using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Writes requests about flows.</summary>
internal static class FlowEncoder
{
    private const byte AnyFamily = 0; // AF_UNSPEC

    // nfgenmsg, [CTA_MARK, CTA_MARK_MASK], [CTA_STATUS, CTA_STATUS_MASK], [CTA_ZONE],
    // [CTA_TUPLE_ORIG { the fields filtered by }], [CTA_TUPLE_REPLY { same }], [CTA_FILTER { which fields these are }]
    /// <param name="writer">The writer.</param>
    /// <param name="message">Which list, and whether counters are set to zero.</param>
    /// <param name="filter">Which flows.</param>
    /// <param name="inKernel">
    /// Whether to have the kernel filter by more than the family: by tuple (Linux 5.8; older ones ignore it), by state (Linux 5.15; likewise),
    /// by zone (Linux 6.8; likewise), and by mark. Of filters by reply, Linux before 5.17 without its fixes reads the wrong fields.
    /// </param>
    public static void PutDump(NlMsgWriter writer, CtMessage message, FlowFilter filter, bool inKernel)
    {
        var family = filter.EffectiveFamily is { } wanted ? Family(wanted) : AnyFamily;
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)message, NlMsgFlags.None, family);
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

        if (filter.Zone is { } zone and not 0) writer.PutU16BigEndian(CtAttribute.Zone, zone); // 0 with CTA_FILTER means any to some kernels
        if (family != AnyFamily) PutTupleFilters(writer, filter.OriginalTuple, filter.ReplyTuple); // without a family: EOPNOTSUPP
    }

    // nfgenmsg
    public static void PutGet(NlMsgWriter writer, CtMessage message) =>
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)message, NlMsgFlags.None, AnyFamily);

    // nfgenmsg, CTA_TUPLE_ORIG or CTA_TUPLE_REPLY
    public static void PutFind(NlMsgWriter writer, CtAttribute direction, in FlowTuple tuple)
    {
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)CtMessage.Get, NlMsgFlags.None, Family(tuple.Source.Family));
        FlowTupleEncoder.Put(writer, direction, tuple);
    }

    // nfgenmsg, CTA_TUPLE_ORIG { CTA_TUPLE_IP, CTA_TUPLE_PROTO, [CTA_TUPLE_ZONE] }, [CTA_ZONE], [CTA_ID]
    public static void PutDelete(NlMsgWriter writer, in Flow flow)
    {
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)CtMessage.Delete, NlMsgFlags.None, Family(flow.Family));
        PutOriginal(writer, flow);
        if (flow.Id != 0) writer.PutU32BigEndian(CtAttribute.Id, flow.Id);
    }

    // nfgenmsg; the kernel heeds the family only if the version is not 0
    public static void PutFlush(NlMsgWriter writer, IpFamily? family)
    {
        writer.BeginMessage(NfNetlink.MessageType(NfSubsystem.Conntrack, (byte)CtMessage.Delete), NlMsgFlags.None);
        var body = writer.ReserveBody(NfGenMessage.Size);
        if (family is { } only) (body[0], body[1]) = (Family(only), 1);
    }

    // nfgenmsg, CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, [CTA_NAT_DST], [CTA_NAT_SRC], CTA_STATUS, CTA_TIMEOUT, [CTA_PROTOINFO], [CTA_MARK], [CTA_ZONE],
    // [CTA_HELP], [CTA_LABELS], [CTA_TUPLE_MASTER]
    public static void PutCreate(NlMsgWriter writer, in Flow flow)
    {
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)CtMessage.New, NlMsgFlags.Create | NlMsgFlags.Exclusive, Family(flow.Family));
        PutOriginal(writer, flow);
        // A translation is made of the tuple before it: the kernel changes the reply itself, and notes that it did.
        var translates = (flow.Status & (FlowStatus.SourceNat | FlowStatus.DestinationNat)) != 0;
        FlowTupleEncoder.Put(writer, CtAttribute.TupleReply, translates ? flow.Original.Reverse() with { Zone = flow.Reply.Zone } : flow.Reply);
        if ((flow.Status & FlowStatus.DestinationNat) != 0) PutNat(writer, CtAttribute.DestinationNat, flow.Reply.Source, flow.Reply.SourcePort);
        if ((flow.Status & FlowStatus.SourceNat) != 0) PutNat(writer, CtAttribute.SourceNat, flow.Reply.Destination, flow.Reply.DestinationPort);
        writer.PutU32BigEndian(CtAttribute.Status, (uint)(flow.Status | FlowStatus.Confirmed));
        if (flow.Timeout is { } timeout) PutTimeout(writer, CtAttribute.Timeout, timeout);
        if (flow.Tcp is { } tcp) PutTcp(writer, tcp);
        if (flow.Sctp is { } sctp) PutSctp(writer, sctp);
        if (flow.Mark != 0) writer.PutU32BigEndian(CtAttribute.Mark, flow.Mark);
        if (flow.Details is not { } details) return;
        if (details.Helper is { } helper) PutHelper(writer, helper);
        if (details.Labels != 0) PutLabels(writer, CtAttribute.Labels, details.Labels);
        if (details.Master is { } master) FlowTupleEncoder.Put(writer, CtAttribute.TupleMaster, master);
    }

    // nfgenmsg, CTA_TUPLE_ORIG, [CTA_ZONE], and what changes
    public static void PutUpdate(NlMsgWriter writer, in Flow flow, FlowChange change)
    {
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)CtMessage.New, NlMsgFlags.None, Family(flow.Family));
        PutOriginal(writer, flow);
        if (change.Helper is { } helper) PutHelper(writer, helper);
        if (change.Timeout is { } timeout) PutTimeout(writer, CtAttribute.Timeout, timeout);
        if (change.AddStatus != FlowStatus.None) writer.PutU32BigEndian(CtAttribute.Status, (uint)(flow.Status | change.AddStatus | FlowStatus.Confirmed));
        if (change.Tcp is { } tcp) PutTcp(writer, tcp);
        if (change.Mark is { } mark)
        {
            writer.PutU32BigEndian(CtAttribute.Mark, mark & change.MarkMask);
            writer.PutU32BigEndian(CtAttribute.MarkMask, change.MarkMask);
        }

        if (change.Labels is { } labels)
        {
            PutLabels(writer, CtAttribute.Labels, labels & change.LabelsMask);
            PutLabels(writer, CtAttribute.LabelsMask, change.LabelsMask);
        }
    }

    public static byte Family(IpFamily family) => family == IpFamily.IPv4 ? (byte)2 : (byte)10; // AF_INET, AF_INET6

    public static void PutTimeout<TAttribute>(NlMsgWriter writer, TAttribute attribute, TimeSpan timeout) where TAttribute : unmanaged, Enum =>
        writer.PutU32BigEndian(attribute, (uint)Math.Clamp(Math.Ceiling(timeout.TotalSeconds), 0, uint.MaxValue));

    private static void PutOriginal(NlMsgWriter writer, in Flow flow)
    {
        FlowTupleEncoder.Put(writer, CtAttribute.TupleOriginal, flow.Original);
        if (flow.Zone != 0) writer.PutU16BigEndian(CtAttribute.Zone, flow.Zone);
    }

    private static void PutTupleFilters(NlMsgWriter writer, in FlowTupleFilter original, in FlowTupleFilter reply)
    {
        if ((original.Fields | reply.Fields) == CtFilterFields.None) return;
        if (original.Fields != CtFilterFields.None) FlowTupleEncoder.PutFiltered(writer, CtAttribute.TupleOriginal, original);
        if (reply.Fields != CtFilterFields.None) FlowTupleEncoder.PutFiltered(writer, CtAttribute.TupleReply, reply);
        using var nest = writer.BeginNested(CtAttribute.Filter);
        if (original.Fields != CtFilterFields.None) writer.PutU32(CtFilterAttribute.OriginalFlags, (uint)original.Fields);
        if (reply.Fields != CtFilterFields.None) writer.PutU32(CtFilterAttribute.ReplyFlags, (uint)reply.Fields);
    }

    private static void PutNat(NlMsgWriter writer, CtAttribute attribute, IpAddr address, ushort port)
    {
        var isV4 = address.Family == IpFamily.IPv4;
        using var nest = writer.BeginNested(attribute);
        address.WriteBytes(writer.ReserveBytes(isV4 ? CtNatAttribute.V4First : CtNatAttribute.V6First, address.Length));
        address.WriteBytes(writer.ReserveBytes(isV4 ? CtNatAttribute.V4Last : CtNatAttribute.V6Last, address.Length));
        if (port == 0) return;
        using var ports = writer.BeginNested(CtNatAttribute.Ports);
        writer.PutU16BigEndian(CtNatPortAttribute.First, port);
        writer.PutU16BigEndian(CtNatPortAttribute.Last, port);
    }

    private static void PutTcp(NlMsgWriter writer, FlowTcp tcp)
    {
        using var state = writer.BeginNested(CtAttribute.ProtocolState);
        using var nest = writer.BeginNested(CtStateAttribute.Tcp);
        writer.PutU8(CtTcpAttribute.State, (byte)tcp.State);
        writer.PutBytes(CtTcpAttribute.OriginalFlags, [(byte)tcp.OriginalFlags, (byte)tcp.OriginalFlags]); // flags, mask
        writer.PutBytes(CtTcpAttribute.ReplyFlags, [(byte)tcp.ReplyFlags, (byte)tcp.ReplyFlags]);
        if ((tcp.OriginalFlags & tcp.ReplyFlags & FlowTcpFlags.WindowScale) == 0) return;
        writer.PutU8(CtTcpAttribute.OriginalWindowScale, tcp.OriginalWindowScale);
        writer.PutU8(CtTcpAttribute.ReplyWindowScale, tcp.ReplyWindowScale);
    }

    private static void PutSctp(NlMsgWriter writer, FlowSctp sctp)
    {
        using var state = writer.BeginNested(CtAttribute.ProtocolState);
        using var nest = writer.BeginNested(CtStateAttribute.Sctp);
        writer.PutU8(CtSctpAttribute.State, (byte)sctp.State);
        writer.PutU32BigEndian(CtSctpAttribute.OriginalTag, sctp.OriginalTag);
        writer.PutU32BigEndian(CtSctpAttribute.ReplyTag, sctp.ReplyTag);
    }

    private static void PutHelper(NlMsgWriter writer, string name)
    {
        using var nest = writer.BeginNested(CtAttribute.Helper);
        writer.PutString(CtHelperAttribute.Name, name);
    }

    private static void PutLabels(NlMsgWriter writer, CtAttribute attribute, UInt128 labels) =>
        BinaryPrimitives.WriteUInt128LittleEndian(writer.ReserveBytes(attribute, 16), labels);
}
