using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Proxy.Iptables;

/// <summary>A rule in a chain that many owners put rules into. It occurs once in its chain.</summary>
internal readonly record struct SharedRule(IptablesChain Chain, IptablesRule Rule);

/// <summary>Where a <see cref="SharedRule"/> stands in its chain.</summary>
internal enum Placement : byte
{
    /// <summary>Before those that are last; their order does not matter.</summary>
    Anywhere,

    /// <summary>After all others.</summary>
    Last,

    /// <summary>In the kernel only: should be after all others, and is not.</summary>
    NotLast,
}
