using System.Buffers.Binary;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Conntrack;

/// <summary>Flows, and the messages in which the kernel tells of them.</summary>
internal static class FlowMessages
{
    /// <summary>A UDP flow from a client to a frontend that is served by <paramref name="server"/>; untranslated if null.</summary>
    public static Flow Udp(string client, string frontend, string? server = null, ushort zone = 0)
    {
        var (from, to, by) = (Endpoint(client), Endpoint(frontend), Endpoint(server ?? frontend));
        return new Flow(
            new FlowTuple(Protocol.Udp, from.Address, to.Address, from.Port, to.Port),
            new FlowTuple(Protocol.Udp, by.Address, from.Address, by.Port, from.Port),
            FlowStatus.Confirmed, zone, 0, 0);
    }

    public static IpEndpoint Endpoint(string text)
    {
        var endpoint = System.Net.IPEndPoint.Parse(text);
        return new IpEndpoint(IpAddr.From(endpoint.Address), (ushort)endpoint.Port);
    }

    // As the kernel's ctnetlink_fill_info does, with an attribute that the decoder does not know among them.
    public static void Put(NlMsgWriter writer, Flow flow) =>
        Put(writer, flow, CtMessage.New, NlMsgFlags.Multi);

    public static void Put(NlMsgWriter writer, Flow flow, CtMessage message, NlMsgFlags flags)
    {
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)message, flags, FlowEncoder.Family(flow.Family));
        FlowTupleEncoder.Put(writer, CtAttribute.TupleOriginal, flow.Original);
        FlowTupleEncoder.Put(writer, CtAttribute.TupleReply, flow.Reply);
        writer.PutU32BigEndian(CtAttribute.Status, (uint)flow.Status);
        if (flow.Timeout is { } timeout) writer.PutU32BigEndian(CtAttribute.Timeout, (uint)timeout.TotalSeconds);
        writer.PutU32BigEndian(CtAttribute.Mark, flow.Mark);
        PutCounters(writer, CtAttribute.OriginalCounters, flow.OriginalCounters);
        PutCounters(writer, CtAttribute.ReplyCounters, flow.ReplyCounters);
        PutTimes(writer, flow);
        PutState(writer, flow);
        writer.PutU32BigEndian((CtAttribute)17, 1); // CTA_SECMARK
        writer.PutU32BigEndian(CtAttribute.Use, flow.Use);
        writer.PutU32BigEndian(CtAttribute.Id, flow.Id);
        if (flow.Zone != 0) writer.PutU16BigEndian(CtAttribute.Zone, flow.Zone);
        if (flow.Details is { } details) PutDetails(writer, details);
    }

    /// <summary>A flow with all that a flow can have.</summary>
    public static Flow Full()
    {
        var original = new FlowTuple(Protocol.Tcp, IpAddr.Parse("10.0.0.1"), IpAddr.Parse("10.96.0.10"), 1000, 21) { Zone = 8 };
        return new Flow(original, original.Reverse() with { Zone = 9 }, FlowStatus.Confirmed | FlowStatus.SeenReply | FlowStatus.Assured, 7, 66, 4711)
        {
            Timeout = TimeSpan.FromSeconds(300), OriginalCounters = new FlowCounters(1, ulong.MaxValue), ReplyCounters = new FlowCounters(3, 4),
            Started = DateTimeOffset.UnixEpoch.AddTicks(17_000_000_000_000_001), Stopped = DateTimeOffset.UnixEpoch.AddTicks(17_000_000_000_000_002),
            Tcp = new FlowTcp(FlowTcpState.Established, FlowTcpFlags.WindowScale, FlowTcpFlags.SackPermitted | FlowTcpFlags.WindowScale, 7, 9),
            Sctp = new FlowSctp(FlowSctpState.CookieEchoed, 1, uint.MaxValue), Dccp = new FlowDccp(FlowDccpState.PartOpen, true, 1UL << 47), Use = 2,
            Details = new FlowDetails
            {
                Helper = "ftp", Labels = (UInt128.One << 127) | 2, SecurityContext = "system_u:object_r:unlabeled_t:s0", Master = original with { SourcePort = 5 },
                OriginalSequence = new FlowSequenceAdjustment(uint.MaxValue, -5, 6), ReplySequence = new FlowSequenceAdjustment(1, 2, -3),
                Synproxy = new FlowSynproxy(1, 2, uint.MaxValue),
            },
        };
    }

    private static void PutCounters(NlMsgWriter writer, CtAttribute attribute, FlowCounters? counters)
    {
        if (counters is not { } counted) return;
        using var nest = writer.BeginNested(attribute);
        writer.PutU64BigEndian(CtCounterAttribute.Packets, counted.Packets);
        writer.PutU64BigEndian(CtCounterAttribute.Bytes, counted.Bytes);
    }

    private static void PutTimes(NlMsgWriter writer, Flow flow)
    {
        if (flow.Started is not { } started) return;
        using var nest = writer.BeginNested(CtAttribute.Timestamp);
        writer.PutU64BigEndian(CtTimestampAttribute.Start, Nanoseconds(started));
        if (flow.Stopped is { } stopped) writer.PutU64BigEndian(CtTimestampAttribute.Stop, Nanoseconds(stopped));

        static ulong Nanoseconds(DateTimeOffset time) => (ulong)(time - DateTimeOffset.UnixEpoch).Ticks * 100;
    }

    private static void PutState(NlMsgWriter writer, Flow flow)
    {
        if (flow is { Tcp: null, Sctp: null, Dccp: null }) return;
        using var nest = writer.BeginNested(CtAttribute.ProtocolState);
        if (flow.Tcp is { } tcp)
        {
            using var state = writer.BeginNested(CtStateAttribute.Tcp);
            writer.PutU8(CtTcpAttribute.State, (byte)tcp.State);
            writer.PutU8(CtTcpAttribute.OriginalWindowScale, tcp.OriginalWindowScale);
            writer.PutU8(CtTcpAttribute.ReplyWindowScale, tcp.ReplyWindowScale);
            writer.PutBytes(CtTcpAttribute.OriginalFlags, [(byte)tcp.OriginalFlags, 0]);
            writer.PutBytes(CtTcpAttribute.ReplyFlags, [(byte)tcp.ReplyFlags, 0]);
        }

        if (flow.Sctp is { } sctp)
        {
            using var state = writer.BeginNested(CtStateAttribute.Sctp);
            writer.PutU8(CtSctpAttribute.State, (byte)sctp.State);
            writer.PutU32BigEndian(CtSctpAttribute.OriginalTag, sctp.OriginalTag);
            writer.PutU32BigEndian(CtSctpAttribute.ReplyTag, sctp.ReplyTag);
        }

        if (flow.Dccp is { } dccp)
        {
            using var state = writer.BeginNested(CtStateAttribute.Dccp);
            writer.PutU8(CtDccpAttribute.State, (byte)dccp.State);
            writer.PutU8(CtDccpAttribute.Role, dccp.IsServer ? (byte)1 : (byte)0);
            writer.PutU64BigEndian(CtDccpAttribute.HandshakeSequence, dccp.HandshakeSequence);
        }
    }

    private static void PutDetails(NlMsgWriter writer, FlowDetails details)
    {
        if (details.Helper is { } helper)
        {
            using var nest = writer.BeginNested(CtAttribute.Helper);
            writer.PutString(CtHelperAttribute.Name, helper);
        }

        if (details.Labels != 0) BinaryPrimitives.WriteUInt128LittleEndian(writer.ReserveBytes(CtAttribute.Labels, 16), details.Labels);
        if (details.SecurityContext is { } context)
        {
            using var nest = writer.BeginNested(CtAttribute.SecurityContext);
            writer.PutString(CtSecurityAttribute.Name, context);
        }

        if (details.Master is { } master) FlowTupleEncoder.Put(writer, CtAttribute.TupleMaster, master);
        PutSequence(writer, CtAttribute.OriginalSequence, details.OriginalSequence);
        PutSequence(writer, CtAttribute.ReplySequence, details.ReplySequence);
        if (details.Synproxy is not { } synproxy) return;
        using var proxy = writer.BeginNested(CtAttribute.Synproxy);
        writer.PutU32BigEndian(CtSynproxyAttribute.InitialSequence, synproxy.InitialSequence);
        writer.PutU32BigEndian(CtSynproxyAttribute.InitialTimestamp, synproxy.InitialTimestamp);
        writer.PutU32BigEndian(CtSynproxyAttribute.TimestampOffset, synproxy.TimestampOffset);
    }

    private static void PutSequence(NlMsgWriter writer, CtAttribute attribute, FlowSequenceAdjustment? adjustment)
    {
        if (adjustment is not { } adjusted) return;
        using var nest = writer.BeginNested(attribute);
        writer.PutU32BigEndian(CtSequenceAttribute.Position, adjusted.Position);
        writer.PutU32BigEndian(CtSequenceAttribute.OffsetBefore, (uint)adjusted.OffsetBefore);
        writer.PutU32BigEndian(CtSequenceAttribute.OffsetAfter, (uint)adjusted.OffsetAfter);
    }
}
