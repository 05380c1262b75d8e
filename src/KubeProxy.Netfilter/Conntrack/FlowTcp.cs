namespace KubeProxy.Netfilter.Conntrack;

/// <summary>What conntrack knows of a TCP connection.</summary>
/// <param name="State">The state.</param>
/// <param name="OriginalFlags">What is known of the initiator.</param>
/// <param name="ReplyFlags">What is known of the other side.</param>
/// <param name="OriginalWindowScale">The initiator's window scale: a shift of 0 to 14.</param>
/// <param name="ReplyWindowScale">The other side's window scale.</param>
public readonly record struct FlowTcp(
    FlowTcpState State, FlowTcpFlags OriginalFlags = default, FlowTcpFlags ReplyFlags = default, byte OriginalWindowScale = 0, byte ReplyWindowScale = 0);

/// <summary>The state of a TCP connection (<c>enum tcp_conntrack</c>, linux/netfilter/nf_conntrack_tcp.h).</summary>
public enum FlowTcpState : byte
{
    /// <summary>None yet.</summary>
    None = 0, // TCP_CONNTRACK_NONE

    /// <summary>A SYN went out.</summary>
    SynSent = 1, // TCP_CONNTRACK_SYN_SENT

    /// <summary>SYN and ACK came back.</summary>
    SynReceived = 2, // TCP_CONNTRACK_SYN_RECV

    /// <summary>Open.</summary>
    Established = 3, // TCP_CONNTRACK_ESTABLISHED

    /// <summary>The initiator sent a FIN.</summary>
    FinWait = 4, // TCP_CONNTRACK_FIN_WAIT

    /// <summary>A FIN was acknowledged.</summary>
    CloseWait = 5, // TCP_CONNTRACK_CLOSE_WAIT

    /// <summary>Both sent a FIN.</summary>
    LastAck = 6, // TCP_CONNTRACK_LAST_ACK

    /// <summary>Closed in order, kept for late packets.</summary>
    TimeWait = 7, // TCP_CONNTRACK_TIME_WAIT

    /// <summary>Closed by RST.</summary>
    Close = 8, // TCP_CONNTRACK_CLOSE

    /// <summary>SYNs went both ways at once.</summary>
    SynSent2 = 9, // TCP_CONNTRACK_SYN_SENT2
}

/// <summary>What is known of one side of a TCP connection (linux/netfilter/nf_conntrack_tcp.h).</summary>
[Flags]
public enum FlowTcpFlags : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It scales its window.</summary>
    WindowScale = 0x01, // IP_CT_TCP_FLAG_WINDOW_SCALE

    /// <summary>It permits selective acknowledgements.</summary>
    SackPermitted = 0x02, // IP_CT_TCP_FLAG_SACK_PERM

    /// <summary>It sent the first FIN.</summary>
    CloseInitiator = 0x04, // IP_CT_TCP_FLAG_CLOSE_INIT

    /// <summary>Its packets are not checked against the window.</summary>
    BeLiberal = 0x08, // IP_CT_TCP_FLAG_BE_LIBERAL

    /// <summary>Data of it is not acknowledged.</summary>
    DataUnacknowledged = 0x10, // IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED

    /// <summary>Its highest acknowledgement is known.</summary>
    HighestAckSet = 0x20, // IP_CT_TCP_FLAG_MAXACK_SET

    /// <summary>A challenge ACK may come (RFC 5961).</summary>
    ChallengeAckExpected = 0x40, // IP_CT_EXP_CHALLENGE_ACK

    /// <summary>A simultaneous open began.</summary>
    SimultaneousOpen = 0x80, // IP_CT_TCP_SIMULTANEOUS_OPEN
}
