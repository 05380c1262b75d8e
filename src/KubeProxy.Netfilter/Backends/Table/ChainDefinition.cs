using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>A chain with all of its rules: they are compared, and rewritten, as a whole.</summary>
internal sealed record ChainDefinition(NftChain Chain, ImmutableArray<NftRule> Rules)
{
    public bool Equals(ChainDefinition? other) =>
        other is not null && Chain == other.Chain && Rules.AsSpan().SequenceEqual(other.Rules.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Chain, Rules.Length);
}
