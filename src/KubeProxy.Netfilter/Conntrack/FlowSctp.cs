namespace KubeProxy.Netfilter.Conntrack;

/// <summary>What conntrack knows of an SCTP association.</summary>
/// <param name="State">The state.</param>
/// <param name="OriginalTag">The verification tag of packets from the initiator (RFC 9260 section 3.1).</param>
/// <param name="ReplyTag">The verification tag of packets to the initiator.</param>
public readonly record struct FlowSctp(FlowSctpState State, uint OriginalTag, uint ReplyTag);

/// <summary>The state of an SCTP association (<c>enum sctp_conntrack</c>, linux/netfilter/nf_conntrack_sctp.h).</summary>
public enum FlowSctpState : byte
{
    /// <summary>None yet.</summary>
    None = 0, // SCTP_CONNTRACK_NONE

    /// <summary>Closed.</summary>
    Closed = 1, // SCTP_CONNTRACK_CLOSED

    /// <summary>INIT was sent.</summary>
    CookieWait = 2, // SCTP_CONNTRACK_COOKIE_WAIT

    /// <summary>COOKIE ECHO was sent.</summary>
    CookieEchoed = 3, // SCTP_CONNTRACK_COOKIE_ECHOED

    /// <summary>Open.</summary>
    Established = 4, // SCTP_CONNTRACK_ESTABLISHED

    /// <summary>The initiator sent SHUTDOWN.</summary>
    ShutdownSent = 5, // SCTP_CONNTRACK_SHUTDOWN_SENT

    /// <summary>The other side sent SHUTDOWN.</summary>
    ShutdownReceived = 6, // SCTP_CONNTRACK_SHUTDOWN_RECD

    /// <summary>SHUTDOWN ACK was sent.</summary>
    ShutdownAckSent = 7, // SCTP_CONNTRACK_SHUTDOWN_ACK_SENT

    /// <summary>A heartbeat went over a second path.</summary>
    HeartbeatSent = 8, // SCTP_CONNTRACK_HEARTBEAT_SENT

    /// <summary>It was answered; no longer used by kernels since 6.1.</summary>
    HeartbeatAcknowledged = 9, // SCTP_CONNTRACK_HEARTBEAT_ACKED
}
