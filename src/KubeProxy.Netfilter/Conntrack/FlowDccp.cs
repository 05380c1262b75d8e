namespace KubeProxy.Netfilter.Conntrack;

/// <summary>What kernels before 6.17 know of a DCCP connection (RFC 4340).</summary>
/// <param name="State">The state.</param>
/// <param name="IsServer">Whether the initiator of the flow is the server (CT_DCCP_ROLE_SERVER).</param>
/// <param name="HandshakeSequence">The sequence number of the handshake, 48 bits.</param>
public readonly record struct FlowDccp(FlowDccpState State, bool IsServer, ulong HandshakeSequence);

/// <summary>The state of a DCCP connection (<c>enum ct_dccp_states</c>, linux/netfilter/nf_conntrack_dccp.h).</summary>
public enum FlowDccpState : byte
{
    /// <summary>None yet.</summary>
    None = 0, // CT_DCCP_NONE

    /// <summary>A request was sent.</summary>
    Request = 1, // CT_DCCP_REQUEST

    /// <summary>It was answered.</summary>
    Respond = 2, // CT_DCCP_RESPOND

    /// <summary>The answer was acknowledged.</summary>
    PartOpen = 3, // CT_DCCP_PARTOPEN

    /// <summary>Open.</summary>
    Open = 4, // CT_DCCP_OPEN

    /// <summary>The server asks to close.</summary>
    CloseRequest = 5, // CT_DCCP_CLOSEREQ

    /// <summary>Closing.</summary>
    Closing = 6, // CT_DCCP_CLOSING

    /// <summary>Closed, kept for late packets.</summary>
    TimeWait = 7, // CT_DCCP_TIMEWAIT
}
