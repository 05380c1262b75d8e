using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Nftables;

namespace KubeProxy.Netfilter.Backends.Balanced;

/// <summary>What a <see cref="BalancedBackend"/> of one address family has to know.</summary>
public sealed record BalancedBackendOptions
{
    /// <summary>The name of the mode in messages.</summary>
    public required string Mode { get; init; }

    /// <summary>The family.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>Which traffic is masqueraded, and the mark bit for it.</summary>
    public MasqueradePolicy Masquerade { get; init; } = new();

    /// <inheritdoc cref="NftablesBackendOptions.ColdStartTransactionSize"/>
    public int ColdStartTransactionSize { get; init; } = 8192;
}
