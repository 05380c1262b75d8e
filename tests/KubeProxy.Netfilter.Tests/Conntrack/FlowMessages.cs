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

    // As the kernel's ctnetlink_fill_info does, with attributes that the decoder does not know among them.
    public static void Put(NlMsgWriter writer, Flow flow)
    {
        writer.BeginMessage(NfSubsystem.Conntrack, (byte)CtMessage.New, NlMsgFlags.Multi, flow.Family == IpFamily.IPv4 ? (byte)2 : (byte)10);
        using (writer.BeginNested(CtAttribute.TupleOriginal)) PutTuple(writer, flow.Original);
        using (writer.BeginNested(CtAttribute.TupleReply)) PutTuple(writer, flow.Reply);
        writer.PutU32BigEndian(CtAttribute.Status, (uint)flow.Status);
        writer.PutU32BigEndian((CtAttribute)7, 30); // CTA_TIMEOUT
        writer.PutU32BigEndian(CtAttribute.Mark, flow.Mark);
        using (writer.BeginNested((CtAttribute)9)) writer.PutU64BigEndian(CtAttribute.TupleOriginal, 1); // CTA_COUNTERS_ORIG
        writer.PutU32BigEndian(CtAttribute.Id, flow.Id);
        if (flow.Zone != 0) writer.PutU16BigEndian(CtAttribute.Zone, flow.Zone);
    }

    private static void PutTuple(NlMsgWriter writer, FlowTuple tuple)
    {
        var isV4 = tuple.Source.Family == IpFamily.IPv4;
        using (writer.BeginNested(CtTupleAttribute.Ip))
        {
            tuple.Source.WriteBytes(writer.ReserveBytes(isV4 ? CtIpAttribute.V4Source : CtIpAttribute.V6Source, tuple.Source.Length));
            tuple.Destination.WriteBytes(
                writer.ReserveBytes(isV4 ? CtIpAttribute.V4Destination : CtIpAttribute.V6Destination, tuple.Destination.Length));
        }

        using (writer.BeginNested(CtTupleAttribute.Protocol))
        {
            writer.PutU8(CtProtocolAttribute.Number, (byte)tuple.Protocol);
            writer.PutU16BigEndian(CtProtocolAttribute.SourcePort, tuple.SourcePort);
            writer.PutU16BigEndian(CtProtocolAttribute.DestinationPort, tuple.DestinationPort);
        }
    }
}
