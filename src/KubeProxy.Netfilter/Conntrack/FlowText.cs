using System.Globalization;
using System.Text;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>A flow as one line, the way the <c>conntrack</c> tool prints it.</summary>
public static class FlowText
{
    /// <summary>
    /// The line of <c>conntrack -L</c>, without a line end: for example
    /// <c>udp      17 29 src=10.0.0.1 dst=10.96.0.10 sport=1234 dport=53 [UNREPLIED] src=10.244.0.1 dst=10.0.0.1 sport=5353 dport=1234 mark=0 use=1</c>.
    /// </summary>
    /// <param name="flow">The flow.</param>
    /// <param name="parts">What else to print.</param>
    /// <param name="now">The time that <c>delta-time</c> is counted to; null: it is left out, as it is of flows whose beginning is not known.</param>
    public static string Of(in Flow flow, FlowTextParts parts = FlowTextParts.None, DateTimeOffset? now = null)
    {
        var text = new StringBuilder(256);
        if ((parts & FlowTextParts.Family) != 0) text.Append(flow.Family == IpFamily.IPv4 ? "ipv4     2 " : "ipv6     10 ");
        text.Append(CultureInfo.InvariantCulture, $"{Name(flow.Original.Protocol),-8} {(byte)flow.Original.Protocol} ");
        if (flow.Timeout is { } timeout) text.Append(CultureInfo.InvariantCulture, $"{(uint)timeout.TotalSeconds} ");
        if (State(flow) is { } state) text.Append(state).Append(' ');
        AppendTuple(text, flow.Original, "zone-orig");
        AppendCounters(text, flow.OriginalCounters);
        if ((flow.Status & FlowStatus.SeenReply) == 0) text.Append("[UNREPLIED] ");
        AppendTuple(text, flow.Reply, "zone-reply");
        AppendCounters(text, flow.ReplyCounters);
        AppendStatus(text, flow.Status);
        text.Append(CultureInfo.InvariantCulture, $"mark={flow.Mark} ");
        if (flow.Details?.SecurityContext is { } context) text.Append(CultureInfo.InvariantCulture, $"secctx={context} ");
        if (flow.Zone != 0) text.Append(CultureInfo.InvariantCulture, $"zone={flow.Zone} ");
        if (now is { } at && flow.Started is { } start) text.Append(CultureInfo.InvariantCulture, $"delta-time={Seconds(start, flow.Stopped ?? at)} ");
        if (flow.Details?.Helper is { } helper) text.Append(CultureInfo.InvariantCulture, $"helper={helper} ");
        if ((parts & FlowTextParts.Labels) != 0 && flow.Details is { Labels: var labels } && labels != 0) AppendLabels(text, labels);
        if (flow.Use != 0) text.Append(CultureInfo.InvariantCulture, $"use={flow.Use} ");
        if ((parts & FlowTextParts.Id) != 0) text.Append(CultureInfo.InvariantCulture, $"id={flow.Id} ");
        text.Length--; // the space after the last field
        return text.ToString();
    }

    private static string Name(Protocol protocol) => protocol switch
    {
        Protocol.Tcp or Protocol.Udp or Protocol.Sctp or FlowProtocols.Icmp or FlowProtocols.Icmpv6 or FlowProtocols.Gre or FlowProtocols.UdpLite
            or FlowProtocols.Dccp => FlowProtocols.Name(protocol),
        _ => "unknown",
    };

    private static string? State(in Flow flow) => flow switch
    {
        { Tcp.State: var tcp } => tcp switch
        {
            FlowTcpState.None => "NONE",
            FlowTcpState.SynSent => "SYN_SENT",
            FlowTcpState.SynReceived => "SYN_RECV",
            FlowTcpState.Established => "ESTABLISHED",
            FlowTcpState.FinWait => "FIN_WAIT",
            FlowTcpState.CloseWait => "CLOSE_WAIT",
            FlowTcpState.LastAck => "LAST_ACK",
            FlowTcpState.TimeWait => "TIME_WAIT",
            FlowTcpState.Close => "CLOSE",
            FlowTcpState.SynSent2 => "SYN_SENT2",
            _ => ((byte)tcp).ToString(CultureInfo.InvariantCulture),
        },
        { Sctp.State: var sctp } => sctp switch
        {
            FlowSctpState.None => "NONE",
            FlowSctpState.Closed => "CLOSED",
            FlowSctpState.CookieWait => "COOKIE_WAIT",
            FlowSctpState.CookieEchoed => "COOKIE_ECHOED",
            FlowSctpState.Established => "ESTABLISHED",
            FlowSctpState.ShutdownSent => "SHUTDOWN_SENT",
            FlowSctpState.ShutdownReceived => "SHUTDOWN_RECD",
            FlowSctpState.ShutdownAckSent => "SHUTDOWN_ACK_SENT",
            FlowSctpState.HeartbeatSent => "HEARTBEAT_SENT",
            FlowSctpState.HeartbeatAcknowledged => "HEARTBEAT_ACKED",
            _ => ((byte)sctp).ToString(CultureInfo.InvariantCulture),
        },
        { Dccp.State: var dccp } => dccp switch
        {
            FlowDccpState.None => "NONE",
            FlowDccpState.Request => "REQUEST",
            FlowDccpState.Respond => "RESPOND",
            FlowDccpState.PartOpen => "PARTOPEN",
            FlowDccpState.Open => "OPEN",
            FlowDccpState.CloseRequest => "CLOSEREQ",
            FlowDccpState.Closing => "CLOSING",
            FlowDccpState.TimeWait => "TIMEWAIT",
            _ => ((byte)dccp).ToString(CultureInfo.InvariantCulture),
        },
        _ => null,
    };

    private static void AppendTuple(StringBuilder text, in FlowTuple tuple, string zoneName)
    {
        text.Append(CultureInfo.InvariantCulture, $"src={tuple.Source} dst={tuple.Destination} ");
        if (tuple.Icmp is { } icmp)
            text.Append(CultureInfo.InvariantCulture, $"type={icmp.Type} code={icmp.Code} id={icmp.Id} ");
        else if (tuple.Protocol == FlowProtocols.Gre)
            text.Append(CultureInfo.InvariantCulture, $"srckey=0x{tuple.SourcePort:x} dstkey=0x{tuple.DestinationPort:x} ");
        else if (Name(tuple.Protocol) != "unknown")
            text.Append(CultureInfo.InvariantCulture, $"sport={tuple.SourcePort} dport={tuple.DestinationPort} ");
        if (tuple.Zone is { } zone) text.Append(CultureInfo.InvariantCulture, $"{zoneName}={zone} ");
    }

    private static void AppendCounters(StringBuilder text, FlowCounters? counters)
    {
        if (counters is { } counted) text.Append(CultureInfo.InvariantCulture, $"packets={counted.Packets} bytes={counted.Bytes} ");
    }

    private static void AppendStatus(StringBuilder text, FlowStatus status)
    {
        if ((status & FlowStatus.HardwareOffload) != 0) text.Append("[HW_OFFLOAD] ");
        else if ((status & FlowStatus.Offload) != 0) text.Append("[OFFLOAD] ");
        else if ((status & FlowStatus.Assured) != 0) text.Append("[ASSURED] ");
    }

    private static void AppendLabels(StringBuilder text, UInt128 labels)
    {
        text.Append("labels=");
        for (var bit = 0; bit < 128; bit++)
        {
            if ((labels >> bit & 1) != 0) text.Append(CultureInfo.InvariantCulture, $"{bit},");
        }

        text[^1] = ' ';
    }

    // The tool subtracts whole seconds.
    private static long Seconds(DateTimeOffset start, DateTimeOffset end) => end.ToUnixTimeSeconds() - start.ToUnixTimeSeconds();
}

/// <summary>What <see cref="FlowText"/> prints beside what <c>conntrack -L</c> prints by itself.</summary>
[Flags]
public enum FlowTextParts
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The family, in front (<c>-o extended</c>).</summary>
    Family = 1,

    /// <summary>The id, at the end (<c>-o id</c>).</summary>
    Id = 2,

    /// <summary>The labels, by number: their names are in a file of the tool (<c>-o labels</c>).</summary>
    Labels = 4,
}
