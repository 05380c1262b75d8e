namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>nft's numbers of the kinds of expressions that can be the typeof of a set (its <c>enum expr_types</c>).</summary>
internal static class NftTypeofKinds
{
    public const uint Payload = 7; // EXPR_PAYLOAD
    public const uint Meta = 9; // EXPR_META
    public const uint Socket = 10; // EXPR_SOCKET
    public const uint Osf = 11; // EXPR_OSF
    public const uint Ct = 12; // EXPR_CT
    public const uint Numgen = 23; // EXPR_NUMGEN
    public const uint Rt = 25; // EXPR_RT
    public const uint Fib = 26; // EXPR_FIB
    public const uint Xfrm = 27; // EXPR_XFRM

    /// <summary>Whether there is a typeof for an expression.</summary>
    public static bool Has(NftExpression expression) => Of(expression) is not null;

    /// <summary>The number; null where this library knows none.</summary>
    public static uint? Of(NftExpression expression) => expression switch
    {
        NftPayload or NftRawPayload => Payload,
        NftMeta => Meta,
        NftCt => Ct,
        NftRt => Rt,
        NftSocket { Key: not NftSocketKey.CgroupV2 } => Socket,
        NftOsf { Ttl: 0, Version: false } => Osf,
        NftIpsec => Xfrm,
        NftNumgen => Numgen,
        NftFib => Fib,
        _ => null,
    };
}
