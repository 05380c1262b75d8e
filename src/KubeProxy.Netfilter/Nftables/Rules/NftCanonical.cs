namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>
/// The one form that rules with the same meaning (and the same bytes in the kernel) are read back in. Compare desired and
/// observed rules in this form.
/// </summary>
public static class NftCanonical
{
    /// <summary>
    /// The rule as it is read back: a prefix of full length is a plain comparison, and a comparison of masked bits with zero
    /// is a <see cref="NftBitsMatch"/>.
    /// </summary>
    public static NftRule Canonical(this NftRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return rule with { Statements = [.. rule.Statements.Select(Canonical)] };
    }

    private static NftStatement Canonical(NftStatement statement) => statement switch
    {
        NftPrefixMatch { Prefix: { Type: not NftDataType.Ifname, Value.Length: var length } } match when match.PrefixBits == length * 8 =>
            new NftMatch(match.Left, match.Operator, match.Prefix),
        NftPrefixMatch match => match with { Prefix = match.Prefix with { Value = Masked(match) } },
        NftMatch { Left: NftBitwise { Xor: 0 } bitwise } match when match.Right.Value.Span.IndexOfAnyExcept((byte)0) < 0 =>
            new NftBitsMatch(bitwise.Value, bitwise.Mask, match.Operator == NftOperator.Equal),
        _ => statement,
    };

    /// <summary>The prefix without the bits that are not compared.</summary>
    private static NftData Masked(NftPrefixMatch match)
    {
        Span<byte> bytes = stackalloc byte[NftData.MaxLength];
        match.Prefix.Value.Span.CopyTo(bytes);
        bytes = bytes[..match.Prefix.Value.Length];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] &= Mask(match.PrefixBits - (i * 8));
        return new NftData(bytes);
    }

    /// <summary>The mask of a byte of which that many bits (below zero: none, above 8: all) count.</summary>
    internal static byte Mask(int bits) => (byte)(0xFF00 >> Math.Clamp(bits, 0, 8));
}
