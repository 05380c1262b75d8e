namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>Goes through what statements and expressions are made of, so that whoever looks for something need not know them all.</summary>
internal static class NftParts
{
    /// <summary>The expressions of a statement, in the order in which they are evaluated.</summary>
    public static IEnumerable<NftExpression> Of(NftStatement statement) => statement switch
    {
        NftMatch match => [match.Left],
        NftRangeMatch match => [match.Left],
        NftPrefixMatch match => [match.Left],
        NftBitsMatch match => [match.Left],
        NftSetMatch match => [match.Key],
        NftAnonymousSetMatch match => [match.Key],
        NftVerdictMapStatement map => [map.Key],
        NftAnonymousVerdictMap map => [map.Key],
        NftSetMeta set => [set.Value],
        NftSetCt set => [set.Value],
        NftSetPayload set => [set.Value],
        NftSetExtension set => [set.Value],
        NftNat nat => Some(nat.Address, nat.AddressTo, nat.Port, nat.PortTo),
        NftTproxy tproxy => Some(tproxy.Address),
        NftDynset dynset => Some(dynset.Key, dynset.Data),
        NftQueue queue => Some(queue.Number),
        NftDup dup => Some(dup.Address, dup.Device),
        NftForward forward => Some(forward.Device, forward.Address),
        NftObjectMapStatement map => [map.Key],
        _ => [],
    };

    /// <summary>The expressions that an expression is made of.</summary>
    public static IEnumerable<NftExpression> Of(NftExpression expression) => expression switch
    {
        NftConcat concat => concat.Parts,
        NftMapLookup lookup => [lookup.Key],
        NftAnonymousMapLookup lookup => [lookup.Key],
        NftBitwise bitwise => [bitwise.Value],
        NftShift shift => [shift.Value],
        NftJhash hash => [hash.Value],
        NftNetworkOrder order => [order.Value],
        _ => [],
    };

    /// <summary>All expressions of a statement, the inner ones before those that they are part of.</summary>
    public static IEnumerable<NftExpression> All(NftStatement statement) => Of(statement).SelectMany(All);

    /// <summary>An expression and all that it is made of, the inner ones first.</summary>
    public static IEnumerable<NftExpression> All(NftExpression expression) => Of(expression).SelectMany(All).Append(expression);

    /// <summary>The families whose fields a statement looks at or writes.</summary>
    public static IEnumerable<NftFamily> Families(NftStatement statement)
    {
        var fields = All(statement).Select(NftExpressionTypes.FamilyOf);
        var own = statement switch
        {
            NftSetPayload set => set.Field.Owner.Family,
            _ => null,
        };
        return fields.Prepend(own).OfType<NftFamily>().Distinct();
    }

    private static IEnumerable<NftExpression> Some(params IEnumerable<NftExpression?> expressions) => expressions.OfType<NftExpression>();
}
