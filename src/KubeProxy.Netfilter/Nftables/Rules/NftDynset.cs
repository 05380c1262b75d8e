using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>What a rule does to a set (<c>enum nft_dynset_ops</c>).</summary>
public enum NftDynsetOperation : uint
{
    /// <summary>Adds the element if it is not there.</summary>
    Add = 0, // NFT_DYNSET_OP_ADD

    /// <summary>Adds it, or restarts its timeout.</summary>
    Update = 1, // NFT_DYNSET_OP_UPDATE

    /// <summary>Deletes it.</summary>
    Delete = 2, // NFT_DYNSET_OP_DELETE
}

/// <summary>
/// Changes a dynamic set or map from the packet path: <c>update @affinity { ip saddr }</c>. What an element of a map maps to does not change
/// while it is there. nft 1.0.6 loads a map's key of at most 16 bytes.
/// </summary>
public sealed record NftDynset(NftDynsetOperation Operation, string Set, NftExpression Key) : NftStatement
{
    /// <summary>How long the element lives from now on; null: as the set says. Millisecond resolution.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>What an element that is added maps to; null for sets, needed for maps. Must not come from a map: nft cannot list that.</summary>
    public NftExpression? Data { get; init; }

    /// <summary>What each element gets, and the packet is judged by: <c>{ ip saddr limit rate over 10/second }</c>.</summary>
    public ImmutableArray<NftStateful> Statements { get; init; } = [];

    /// <summary>The set itself, when it belongs to the rule (<c>meter</c>, which nft keeps for old rulesets); null for a set of the table.</summary>
    public NftSet? Meter { get; init; }

    /// <inheritdoc/>
    public bool Equals(NftDynset? other) => other is not null && Operation == other.Operation && Set == other.Set && Key == other.Key
        && Meter is null == other.Meter is null && Timeout == other.Timeout && Data == other.Data && Statements.AsSpan().SequenceEqual(other.Statements.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Operation, Set, Key);
}
