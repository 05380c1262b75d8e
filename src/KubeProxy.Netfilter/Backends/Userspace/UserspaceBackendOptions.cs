using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Nftables;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>What the userspace backend of one address family has to know.</summary>
public sealed record UserspaceBackendOptions
{
    /// <summary>The family.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>
    /// How pods are recognised, and the mark bit, by which packets are routed to the relay. Nothing is masqueraded: the relay's
    /// connections to endpoints are the node's own.
    /// </summary>
    public MasqueradePolicy Masquerade { get; init; } = new();

    /// <inheritdoc cref="NftablesBackendOptions.ColdStartTransactionSize"/>
    public int ColdStartTransactionSize { get; init; } = 8192;
}
