namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>The kind of a verdict.</summary>
public enum NftVerdictKind
{
    /// <summary>The packet passes this base chain.</summary>
    Accept,

    /// <summary>The packet is discarded.</summary>
    Drop,

    /// <summary>On with the next rule.</summary>
    Continue,

    /// <summary>Back to the chain that jumped here.</summary>
    Return,

    /// <summary>On in another chain, and back at its end.</summary>
    Jump,

    /// <summary>On in another chain, without coming back here.</summary>
    Goto,
}

/// <summary>A verdict, in a rule or in a verdict map.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Chain">The chain of a jump or goto, in the same table; null otherwise.</param>
public sealed record NftVerdict(NftVerdictKind Kind, string? Chain = null)
{
    /// <summary>accept.</summary>
    public static NftVerdict Accept { get; } = new(NftVerdictKind.Accept);

    /// <summary>drop.</summary>
    public static NftVerdict Drop { get; } = new(NftVerdictKind.Drop);

    /// <summary>return.</summary>
    public static NftVerdict Return { get; } = new(NftVerdictKind.Return);

    /// <summary>continue.</summary>
    public static NftVerdict Continue { get; } = new(NftVerdictKind.Continue);

    /// <summary>jump to a chain.</summary>
    public static NftVerdict Jump(string chain) => new(NftVerdictKind.Jump, chain);

    /// <summary>goto a chain.</summary>
    public static NftVerdict Goto(string chain) => new(NftVerdictKind.Goto, chain);

    /// <summary>As nft writes it, for example <c>goto endpoints-3</c>.</summary>
    public override string ToString() => Chain is null ? Kind.ToString().ToLowerInvariant() : $"{Kind.ToString().ToLowerInvariant()} {Chain}";
}
