namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>What a named object is (<c>NFT_OBJECT_*</c> in <c>linux/netfilter/nf_tables.h</c>).</summary>
public enum NftObjectKind : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary><c>counter</c>.</summary>
    Counter = 1, // NFT_OBJECT_COUNTER

    /// <summary><c>quota</c>.</summary>
    Quota = 2, // NFT_OBJECT_QUOTA

    /// <summary><c>ct helper</c>.</summary>
    CtHelper = 3, // NFT_OBJECT_CT_HELPER

    /// <summary><c>limit</c>.</summary>
    Limit = 4, // NFT_OBJECT_LIMIT

    /// <summary>Connection limit; nft has no word for it.</summary>
    ConnectionLimit = 5, // NFT_OBJECT_CONNLIMIT

    /// <summary><c>tunnel</c>.</summary>
    Tunnel = 6, // NFT_OBJECT_TUNNEL

    /// <summary><c>ct timeout</c>.</summary>
    CtTimeout = 7, // NFT_OBJECT_CT_TIMEOUT

    /// <summary><c>secmark</c>.</summary>
    Secmark = 8, // NFT_OBJECT_SECMARK

    /// <summary><c>ct expectation</c>.</summary>
    CtExpectation = 9, // NFT_OBJECT_CT_EXPECT

    /// <summary><c>synproxy</c>.</summary>
    Synproxy = 10, // NFT_OBJECT_SYNPROXY
}
