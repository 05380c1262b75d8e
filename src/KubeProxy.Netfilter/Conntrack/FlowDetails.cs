namespace KubeProxy.Netfilter.Conntrack;

/// <summary>What few flows have.</summary>
public sealed record FlowDetails
{
    /// <summary>The helper that reads the packets, such as <c>ftp</c>; null for none.</summary>
    public string? Helper { get; init; }

    /// <summary>The labels: bit n of 0 to 127 is label n.</summary>
    public UInt128 Labels { get; init; }

    /// <summary>The security context, as SELinux writes it; null for none.</summary>
    public string? SecurityContext { get; init; }

    /// <summary>The original tuple of the flow that announced this one; null for none.</summary>
    public FlowTuple? Master { get; init; }

    /// <summary>How sequence numbers of the initiator are adjusted; null: they are not.</summary>
    public FlowSequenceAdjustment? OriginalSequence { get; init; }

    /// <summary>How sequence numbers of the other side are adjusted; null: they are not.</summary>
    public FlowSequenceAdjustment? ReplySequence { get; init; }

    /// <summary>What a SYN proxy notes; null without one.</summary>
    public FlowSynproxy? Synproxy { get; init; }
}

/// <summary>How TCP sequence numbers are adjusted because a helper changed the length of what was sent.</summary>
/// <param name="Position">The sequence number of the last change.</param>
/// <param name="OffsetBefore">What is added to numbers before it.</param>
/// <param name="OffsetAfter">What is added to numbers after it.</param>
public readonly record struct FlowSequenceAdjustment(uint Position, int OffsetBefore, int OffsetAfter);

/// <summary>What a SYN proxy notes of a connection that it answered for the server.</summary>
/// <param name="InitialSequence">The initial sequence number that it chose.</param>
/// <param name="InitialTimestamp">The first TCP timestamp that it sent.</param>
/// <param name="TimestampOffset">The difference to the timestamps of the server.</param>
public readonly record struct FlowSynproxy(uint InitialSequence, uint InitialTimestamp, uint TimestampOffset);
