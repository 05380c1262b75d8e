namespace KubeProxy.Netfilter.Conntrack;

/// <summary>The state of a flow (<c>enum ip_conntrack_status</c>, linux/netfilter/nf_conntrack_common.h).</summary>
[Flags]
public enum FlowStatus
{
    /// <summary>No bit.</summary>
    None = 0,

    /// <summary>Another flow announced it (as FTP does).</summary>
    Expected = 1 << 0, // IPS_EXPECTED

    /// <summary>Packets went both ways.</summary>
    SeenReply = 1 << 1, // IPS_SEEN_REPLY

    /// <summary>Not given up early when the table is full.</summary>
    Assured = 1 << 2, // IPS_ASSURED

    /// <summary>The first packet left the node.</summary>
    Confirmed = 1 << 3, // IPS_CONFIRMED

    /// <summary>The source is translated.</summary>
    SourceNat = 1 << 4, // IPS_SRC_NAT

    /// <summary>The destination is translated.</summary>
    DestinationNat = 1 << 5, // IPS_DST_NAT

    /// <summary>TCP sequence numbers are adjusted.</summary>
    SequenceAdjust = 1 << 6, // IPS_SEQ_ADJUST

    /// <summary>It is settled whether the source is translated.</summary>
    SourceNatDone = 1 << 7, // IPS_SRC_NAT_DONE

    /// <summary>It is settled whether the destination is translated.</summary>
    DestinationNatDone = 1 << 8, // IPS_DST_NAT_DONE

    /// <summary>On its way out of the table.</summary>
    Dying = 1 << 9, // IPS_DYING

    /// <summary>Packets do not prolong its timeout.</summary>
    FixedTimeout = 1 << 10, // IPS_FIXED_TIMEOUT

    /// <summary>Not a flow, but what flows are made by (as the <c>CT</c> target has them).</summary>
    Template = 1 << 11, // IPS_TEMPLATE

    /// <summary>
    /// It lost a race with another flow of the same tuple, and is in the table with its reply only (IPS_NAT_CLASH). Kernels before 4.13 had an entry
    /// for what is not tracked with the same bit (IPS_UNTRACKED).
    /// </summary>
    NatClash = 1 << 12, // IPS_NAT_CLASH, IPS_UNTRACKED

    /// <summary>It was given a helper explicitly, by a rule or over ctnetlink.</summary>
    Helper = 1 << 13, // IPS_HELPER

    /// <summary>A flow table forwards its packets.</summary>
    Offload = 1 << 14, // IPS_OFFLOAD

    /// <summary>Hardware forwards its packets.</summary>
    HardwareOffload = 1 << 15, // IPS_HW_OFFLOAD
}
