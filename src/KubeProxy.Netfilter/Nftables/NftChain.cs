namespace KubeProxy.Netfilter.Nftables;

/// <summary>The identity of a chain.</summary>
/// <param name="Table">The table.</param>
/// <param name="Name">The name, 1 to 255 bytes.</param>
public readonly record struct NftChainKey(NftTableKey Table, string Name);

/// <summary>The type of a base chain.</summary>
public enum NftChainType
{
    /// <summary>Plain filtering, any hook.</summary>
    Filter,

    /// <summary>Address translation: sees only the first packet of a connection.</summary>
    Nat,

    /// <summary>Like mangle in iptables: an output packet whose mark or addresses changed is routed again.</summary>
    Route,
}

/// <summary>A netfilter hook of the ip, ip6 and inet families (<c>enum nf_inet_hooks</c>).</summary>
public enum NftHook : uint
{
    /// <summary>Every received packet, before the routing decision.</summary>
    Prerouting = 0, // NF_INET_PRE_ROUTING

    /// <summary>Packets for this host.</summary>
    Input = 1, // NF_INET_LOCAL_IN

    /// <summary>Packets for other hosts.</summary>
    Forward = 2, // NF_INET_FORWARD

    /// <summary>Packets of this host.</summary>
    Output = 3, // NF_INET_LOCAL_OUT

    /// <summary>Every leaving packet.</summary>
    Postrouting = 4, // NF_INET_POST_ROUTING
}

/// <summary>What makes a chain a base chain: where the kernel calls it.</summary>
/// <param name="Type">The type.</param>
/// <param name="Hook">The hook.</param>
/// <param name="Priority">The order among the chains of the hook, lower first.</param>
/// <param name="DropByDefault">The policy for packets that no rule decides: drop instead of accept.</param>
public sealed record NftBaseChain(NftChainType Type, NftHook Hook, int Priority, bool DropByDefault = false);

/// <summary>A chain of rules.</summary>
public sealed record NftChain(NftChainKey Key)
{
    /// <summary>Where the kernel calls the chain; null for a regular chain, which is only jumped to.</summary>
    public NftBaseChain? Base { get; init; }

    /// <summary>A comment, at most 128 bytes; null for none. Kept by the kernel since Linux 5.10.</summary>
    public string? Comment { get; init; }
}
