namespace KubeProxy.Netfilter.Conntrack;

/// <summary>A flow that a helper announced, and that has not come yet.</summary>
/// <param name="Master">The original tuple of the flow that announced it.</param>
/// <param name="Tuple">The original tuple of the flow that is expected.</param>
/// <param name="Mask">Which bits of <paramref name="Tuple"/> the flow has to have.</param>
public sealed record Expectation(FlowTuple Master, FlowTuple Tuple, FlowTuple Mask)
{
    /// <summary>When it is given up, in whole seconds; null: with the master, or unknown.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The kernel's number for this very expectation; 0: unknown.</summary>
    public uint Id { get; init; }

    /// <summary>The zone of both directions, 0 by default.</summary>
    public ushort Zone { get; init; }

    /// <summary>How it behaves.</summary>
    public ExpectationFlags Flags { get; init; }

    /// <summary>The number of its kind, as the helper counts them.</summary>
    public uint Class { get; init; }

    /// <summary>The helper that announced it; null when the kernel did not say.</summary>
    public string? Helper { get; init; }

    /// <summary>The kernel's function that treats the flow when it comes, for example <c>nat-follow-master</c>; null for none.</summary>
    public string? Function { get; init; }

    /// <summary>How the flow is translated when it comes; null: not at all.</summary>
    public ExpectationNat? Nat { get; init; }
}

/// <summary>How a flow that is expected is translated.</summary>
/// <param name="IsReply">Whether the translation is that of answers (<c>IP_CT_DIR_REPLY</c>).</param>
/// <param name="Tuple">The address and port that take the place of what the packets bear.</param>
public readonly record struct ExpectationNat(bool IsReply, FlowTuple Tuple);

/// <summary>How an expectation behaves (NF_CT_EXPECT_*, linux/netfilter/nf_conntrack_common.h).</summary>
[Flags]
public enum ExpectationFlags : uint
{
    /// <summary>For one flow.</summary>
    None = 0,

    /// <summary>It stays when a flow came.</summary>
    Permanent = 0x1, // NF_CT_EXPECT_PERMANENT

    /// <summary>It is made but does not work yet.</summary>
    Inactive = 0x2, // NF_CT_EXPECT_INACTIVE

    /// <summary>A process made it.</summary>
    Userspace = 0x4, // NF_CT_EXPECT_USERSPACE
}
