namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>
/// The one form that rules with the same meaning (and the same bytes in the kernel) are read back in. Compare desired and
/// observed rules in this form.
/// </summary>
public static class NftCanonical
{
    /// <summary>
    /// The rule as it is read back: a prefix of full length is a plain comparison, a comparison of masked bits with zero
    /// is a <see cref="NftBitsMatch"/>, and a port after a comparison of the protocol is that protocol's.
    /// </summary>
    public static NftRule Canonical(this NftRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        // The family of the table makes no difference for ports.
        var context = new NftPacketContext(NftFamily.Inet);
        var statements = new NftStatement[rule.Statements.Length];
        for (var i = 0; i < statements.Length; i++)
        {
            statements[i] = Resolved(Canonical(rule.Statements[i]), context);
            context.See(statements[i]);
        }

        return rule with { Statements = [.. statements] };
    }

    /// <summary>Whether values of the type have prefixes.</summary>
    internal static bool HasPrefixes(NftDataType type) => type is NftDataType.Ipv4Addr or NftDataType.Ipv6Addr;

    private static NftStatement Canonical(NftStatement statement) => statement switch
    {
        NftPrefixMatch { Prefix: { Type: not NftDataType.Ifname, Value.Length: var length } } match when match.PrefixBits == length * 8 =>
            new NftMatch(match.Left, match.Operator, match.Prefix),
        NftPrefixMatch match => match with { Prefix = match.Prefix with { Value = Masked(match) } },
        NftMatch { Operator: NftOperator.Equal or NftOperator.NotEqual, Left: NftBitwise { IsMask: true, Numbers: { } numbers } bitwise } match
            when match.Right.Value.Span.IndexOfAnyExcept((byte)0) < 0 =>
            new NftBitsMatch(bitwise.Value, numbers.Mask, match.Operator == NftOperator.Equal),
        _ => statement,
    };

    /// <summary>The statement with ports named by what is known of the transport.</summary>
    private static NftStatement Resolved(NftStatement statement, NftPacketContext context) => statement switch
    {
        NftMatch match => Resolved(match.Left, context) is var left ? match with { Left = left, Right = Typed(match.Right, left) } : match,
        NftRangeMatch match => Resolved(match.Left, context) is var left ? match with { Left = left, From = Typed(match.From, left), To = Typed(match.To, left) } : match,
        NftSetMatch match => match with { Key = Resolved(match.Key, context) },
        NftAnonymousSetMatch match => match with { Key = Resolved(match.Key, context) },
        NftVerdictMapStatement map => map with { Key = Resolved(map.Key, context) },
        NftAnonymousVerdictMap map => map with { Key = Resolved(map.Key, context) },
        NftSetMeta set => set with { Value = Resolved(set.Value, context) },
        NftSetCt set => set with { Value = Resolved(set.Value, context) },
        NftSetPayload set => set with { Value = Resolved(set.Value, context) },
        NftNat nat => nat with { Address = nat.Address is { } address ? Resolved(address, context) : null, Port = nat.Port is { } port ? Resolved(port, context) : null },
        NftDynset dynset => dynset with { Key = Resolved(dynset.Key, context), Data = dynset.Data is { } data ? Resolved(data, context) : null },
        _ => statement,
    };

    internal static NftExpression Resolved(NftExpression expression, NftPacketContext context) => expression switch
    {
        NftPayload payload => context.Resolve(payload.Field) is { } field ? new NftPayload(field) : new NftRawPayload(payload.Field.Base, payload.Field.BitOffset, payload.Field.BitLength),
        NftConcat concat => new NftConcat([.. concat.Parts.Select(part => Resolved(part, context))]),
        NftMapLookup lookup => lookup with { Key = Resolved(lookup.Key, context) },
        NftAnonymousMapLookup lookup => lookup with { Key = Resolved(lookup.Key, context) },
        NftJhash hash => hash with { Value = Resolved(hash.Value, context) },
        _ => expression,
    };

    private static NftConstant Typed(NftConstant constant, NftExpression left) => left is NftPayload or NftRawPayload ? constant with { Type = left.TypesOf()[0] } : constant;

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
