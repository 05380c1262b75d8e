using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>What the nftables backend of one address family has to know.</summary>
public sealed record NftablesBackendOptions
{
    /// <summary>The family.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>Which traffic is masqueraded, and the mark bit for it.</summary>
    public MasqueradePolicy Masquerade { get; init; } = new();

    /// <summary>
    /// Packets to node ports on loopback addresses are refused and counted, but for TCP where the node's plan names the loopback
    /// address (<see cref="NodePlan.NamesLocalhost"/>), which is relayed. Otherwise such packets are let alone.
    /// </summary>
    public bool LocalhostNodePorts { get; init; }

    /// <summary>
    /// The number of elements in one transaction when the table is filled for the first time. Others who change rules wait
    /// for one transaction at most. The table sees packets only after the last one.
    /// </summary>
    public int ColdStartTransactionSize { get; init; } = 8192;

    /// <summary>
    /// From how many slots of endpoints in one map on the lists in it are read by asking for them, at a start and at the periodic check. The time of that is in
    /// proportion to their number; to dump a map takes time in proportion to the square of it, but also finds what nothing leads to.
    /// </summary>
    public int LargeMap { get; init; } = 100_000;
}
