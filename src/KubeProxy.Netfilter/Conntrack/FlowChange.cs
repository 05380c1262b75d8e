namespace KubeProxy.Netfilter.Conntrack;

/// <summary>What to change of a flow; a property that is null stays.</summary>
public sealed record FlowChange
{
    /// <summary>The mark, set where <see cref="MarkMask"/> has ones.</summary>
    public uint? Mark { get; init; }

    /// <summary>Which bits of <see cref="Mark"/> are set.</summary>
    public uint MarkMask { get; init; } = uint.MaxValue;

    /// <summary>The time after which it is given up unless a packet comes, in whole seconds (rounded up).</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Bits to add to the state: <see cref="FlowStatus.SeenReply"/>, <see cref="FlowStatus.Assured"/> or <see cref="FlowStatus.FixedTimeout"/>; the
    /// kernel takes no others, and takes none back.
    /// </summary>
    public FlowStatus AddStatus { get; init; }

    /// <summary>The state of TCP: the state itself, flags to add, and the window scales when both flags say that there are any.</summary>
    public FlowTcp? Tcp { get; init; }

    /// <summary>
    /// The helper's name; empty: none any more. The kernel refuses a second one (EBUSY), and one for a flow that was announced by another (EBUSY).
    /// </summary>
    public string? Helper { get; init; }

    /// <summary>
    /// The labels, set where <see cref="LabelsMask"/> has ones: bit n is label n. Only in network namespaces where a rule uses labels, and only of flows
    /// that began since (ENOENT, ENOSPC).
    /// </summary>
    public UInt128? Labels { get; init; }

    /// <summary>Which bits of <see cref="Labels"/> are set.</summary>
    public UInt128 LabelsMask { get; init; } = UInt128.MaxValue;
}
