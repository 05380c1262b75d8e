using System.Buffers.Binary;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Reads flows from messages.</summary>
internal static class FlowDecoder
{
    private const int MaxLabelBytes = 16; // NF_CT_LABELS_MAX_SIZE

    // nfgenmsg, CTA_TUPLE_ORIG { CTA_TUPLE_IP { src, dst }, CTA_TUPLE_PROTO { number, ports } }, CTA_TUPLE_REPLY { same }, and what is in CtAttribute
    /// <exception cref="NetlinkFormatException">The message is malformed, or has no tuples.</exception>
    public static Flow Decode(NlMessage message)
    {
        FlowTuple? original = null, reply = null;
        uint status = 0, mark = 0, id = 0, use = 0;
        ushort zone = 0;
        TimeSpan? timeout = null;
        FlowCounters? there = null, back = null;
        DateTimeOffset? started = null, stopped = null;
        FlowTcp? tcp = null;
        FlowSctp? sctp = null;
        FlowDccp? dccp = null;
        FlowDetails? details = null;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<CtAttribute>())
            {
                case CtAttribute.TupleOriginal: original = FlowTupleDecoder.Decode(attribute.Nested()); break;
                case CtAttribute.TupleReply: reply = FlowTupleDecoder.Decode(attribute.Nested()); break;
                case CtAttribute.Status: status = attribute.U32BigEndian(); break;
                case CtAttribute.Mark: mark = attribute.U32BigEndian(); break;
                case CtAttribute.Id: id = attribute.U32BigEndian(); break;
                case CtAttribute.Zone: zone = attribute.U16BigEndian(); break;
                case CtAttribute.Use: use = attribute.U32BigEndian(); break;
                case CtAttribute.Timeout: timeout = TimeSpan.FromSeconds(attribute.U32BigEndian()); break;
                case CtAttribute.OriginalCounters: there = Counters(attribute.Nested()); break;
                case CtAttribute.ReplyCounters: back = Counters(attribute.Nested()); break;
                case CtAttribute.Timestamp: Times(attribute.Nested(), out started, out stopped); break;
                case CtAttribute.ProtocolState: FlowStateDecoder.Decode(attribute.Nested(), ref tcp, ref sctp, ref dccp); break;
                default: details = Detail(attribute, details); break;
            }
        }

        if (original is null || reply is null) throw new NetlinkFormatException("A conntrack entry without tuples.");
        return new Flow(original.GetValueOrDefault(), reply.GetValueOrDefault(), (FlowStatus)status, zone, mark, id)
        {
            Timeout = timeout, OriginalCounters = there, ReplyCounters = back, Started = started, Stopped = stopped,
            Tcp = tcp, Sctp = sctp, Dccp = dccp, Use = use, Details = details,
        };
    }

    /// <summary>What few flows have. There is an object only for those.</summary>
    private static FlowDetails? Detail(NlAttribute attribute, FlowDetails? details)
    {
        switch (attribute.As<CtAttribute>())
        {
            case CtAttribute.Helper:
                return attribute.Nested().TryFind(CtHelperAttribute.Name, out var helper) ? (details ?? new()) with { Helper = helper.Text() } : details;
            case CtAttribute.SecurityContext:
                return attribute.Nested().TryFind(CtSecurityAttribute.Name, out var name) ? (details ?? new()) with { SecurityContext = name.Text() } : details;
            case CtAttribute.Labels:
                return Labels(attribute) is var labels && labels != 0 ? (details ?? new()) with { Labels = labels } : details;
            case CtAttribute.TupleMaster:
                return (details ?? new()) with { Master = FlowTupleDecoder.Decode(attribute.Nested()) };
            case CtAttribute.OriginalSequence:
                return (details ?? new()) with { OriginalSequence = Sequence(attribute.Nested()) };
            case CtAttribute.ReplySequence:
                return (details ?? new()) with { ReplySequence = Sequence(attribute.Nested()) };
            case CtAttribute.Synproxy:
                return (details ?? new()) with { Synproxy = Synproxy(attribute.Nested()) };
            default:
                return details;
        }
    }

    private static FlowCounters Counters(NlAttributes attributes)
    {
        ulong packets = 0, bytes = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtCounterAttribute>())
            {
                case CtCounterAttribute.Packets: packets = attribute.U64BigEndian(); break;
                case CtCounterAttribute.Bytes: bytes = attribute.U64BigEndian(); break;
            }
        }

        return new FlowCounters(packets, bytes);
    }

    private static void Times(NlAttributes attributes, out DateTimeOffset? started, out DateTimeOffset? stopped)
    {
        (started, stopped) = (null, null);
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtTimestampAttribute>())
            {
                case CtTimestampAttribute.Start: started = Time(attribute.U64BigEndian()); break;
                case CtTimestampAttribute.Stop: stopped = Time(attribute.U64BigEndian()); break;
            }
        }

        static DateTimeOffset? Time(ulong nanoseconds) =>
            nanoseconds == 0 ? null : DateTimeOffset.UnixEpoch.AddTicks((long)(nanoseconds / TimeSpan.NanosecondsPerTick));
    }

    // The kernel's bitmap, an array of long in host order: on little endian machines the bytes of a 128 bit number.
    private static UInt128 Labels(NlAttribute attribute)
    {
        if (attribute.Payload.Length > MaxLabelBytes) throw new NetlinkFormatException($"Labels of {attribute.Payload.Length} bytes.");
        Span<byte> bytes = stackalloc byte[MaxLabelBytes];
        bytes.Clear();
        attribute.Payload.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt128LittleEndian(bytes);
    }

    private static FlowSequenceAdjustment Sequence(NlAttributes attributes)
    {
        uint position = 0, before = 0, after = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtSequenceAttribute>())
            {
                case CtSequenceAttribute.Position: position = attribute.U32BigEndian(); break;
                case CtSequenceAttribute.OffsetBefore: before = attribute.U32BigEndian(); break;
                case CtSequenceAttribute.OffsetAfter: after = attribute.U32BigEndian(); break;
            }
        }

        return new FlowSequenceAdjustment(position, (int)before, (int)after);
    }

    private static FlowSynproxy Synproxy(NlAttributes attributes)
    {
        uint sequence = 0, timestamp = 0, offset = 0;
        foreach (var attribute in attributes)
        {
            switch (attribute.As<CtSynproxyAttribute>())
            {
                case CtSynproxyAttribute.InitialSequence: sequence = attribute.U32BigEndian(); break;
                case CtSynproxyAttribute.InitialTimestamp: timestamp = attribute.U32BigEndian(); break;
                case CtSynproxyAttribute.TimestampOffset: offset = attribute.U32BigEndian(); break;
            }
        }

        return new FlowSynproxy(sequence, timestamp, offset);
    }
}
