using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>A rule in a chain that many owners put rules into. It occurs once in its chain.</summary>
internal readonly record struct SharedRule(IptablesChain Chain, IptablesRule Rule);

/// <summary>Where a <see cref="SharedRule"/> stands in its chain.</summary>
internal readonly record struct Placement
{
    private readonly byte _place;

    private Placement(byte place) => _place = place;

    /// <summary>Before those that are last; their order does not matter.</summary>
    public static Placement Anywhere { get; }

    /// <summary>After all others.</summary>
    public static Placement Last { get; } = new(1);

    /// <summary>In the kernel only: should be after all others, and is not.</summary>
    public static Placement NotLast { get; } = new(2);
}
