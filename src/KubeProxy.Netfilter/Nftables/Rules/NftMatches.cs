namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>A comparison (<c>enum nft_cmp_ops</c>).</summary>
public enum NftOperator : uint
{
    /// <summary>Equal.</summary>
    Equal = 0, // NFT_CMP_EQ

    /// <summary>Not equal.</summary>
    NotEqual = 1, // NFT_CMP_NEQ

    /// <summary><c>&lt;</c>.</summary>
    Less = 2, // NFT_CMP_LT

    /// <summary><c>&lt;=</c>.</summary>
    LessOrEqual = 3, // NFT_CMP_LTE

    /// <summary><c>&gt;</c>.</summary>
    Greater = 4, // NFT_CMP_GT

    /// <summary><c>&gt;=</c>.</summary>
    GreaterOrEqual = 5, // NFT_CMP_GTE
}

/// <summary>Continues only when the value compares so: <c>ip saddr != 10.0.0.1</c>, <c>meta length &gt; 1000</c>.</summary>
public sealed record NftMatch(NftExpression Left, NftOperator Operator, NftConstant Right) : NftStatement;

/// <summary>Continues only when the value is (or is not) from <paramref name="From"/> to <paramref name="To"/>: <c>tcp dport 1024-65535</c>.</summary>
/// <param name="Left">The value.</param>
/// <param name="From">The first.</param>
/// <param name="To">The last; not before the first.</param>
/// <param name="Negated">Outside instead.</param>
public sealed record NftRangeMatch(NftExpression Left, NftConstant From, NftConstant To, bool Negated = false) : NftStatement;

/// <summary>
/// Continues only when the address (or the beginning of the name) is in the block: <c>ip daddr != 127.0.0.0/8</c>,
/// <c>iifname "cali*"</c>. <paramref name="PrefixBits"/> of <paramref name="Prefix"/> are compared.
/// </summary>
public sealed record NftPrefixMatch(NftExpression Left, NftOperator Operator, NftConstant Prefix, int PrefixBits) : NftStatement;

/// <summary>Continues only when any (or with <paramref name="None"/>, none) of the bits is set: <c>ct state new</c>, <c>meta mark &amp; 0x4000 != 0</c>.</summary>
/// <param name="Left">A value of at most 4 bytes.</param>
/// <param name="Bits">The bits, as a number.</param>
/// <param name="None">None of them.</param>
public sealed record NftBitsMatch(NftExpression Left, uint Bits, bool None = false) : NftStatement;

/// <summary>Continues only when the set has (or has not) the value: <c>ip daddr @cluster-ips</c>.</summary>
public sealed record NftSetMatch(NftExpression Key, string Set, bool Negated = false) : NftStatement;
