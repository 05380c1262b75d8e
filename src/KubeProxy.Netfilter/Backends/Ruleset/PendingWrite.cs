using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>One operation of a transaction to be, with what has to be noted when the kernel took or refused it.</summary>
internal sealed class PendingWrite
{
    /// <summary>The number of kernel objects that it writes or deletes.</summary>
    public required int Count { get; init; }

    /// <summary>Appends exactly one operation.</summary>
    public required Func<NftTransaction, NftTransaction> AddTo { get; init; }

    /// <summary>Notes that the kernel took it.</summary>
    public required Action Acknowledge { get; init; }

    /// <summary>What it does, for people; null: as nft would write it.</summary>
    public Func<string>? Text { get; init; }

    /// <summary>The chain or set that it makes or fills with rules; null for elements.</summary>
    public string? Object { get; init; }

    /// <summary>Who asked for the element with that index (0 for other objects); null when nobody in particular did.</summary>
    public required Func<int, RuleOwner?> OwnerOf { get; init; }
}
