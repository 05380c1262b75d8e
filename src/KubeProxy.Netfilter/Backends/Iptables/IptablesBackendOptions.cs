using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>What the iptables backend of one address family has to know.</summary>
public sealed record IptablesBackendOptions
{
    /// <summary>The family.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>Which traffic is masqueraded, and the mark bit for it.</summary>
    public MasqueradePolicy Masquerade { get; init; } = new();

    /// <summary>
    /// Whether node ports are open on IPv4 loopback addresses (<c>iptables.localhostNodePorts</c>), where the node port
    /// addresses include them. Then <c>route_localnet</c> is switched on.
    /// </summary>
    public bool LocalhostNodePorts { get; init; } = true;

    /// <summary>
    /// The number of operations in one transaction when the rules are written for the first time, and later of chains that nothing leads to yet or
    /// any more. Others who change rules wait for one transaction at most. No packet sees the rules before the one that leads to them.
    /// </summary>
    public int ColdStartTransactionSize { get; init; } = 8192;
}
