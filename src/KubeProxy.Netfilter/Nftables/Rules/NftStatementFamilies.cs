namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>The families that the fields in a statement belong to.</summary>
internal static class NftStatementFamilies
{
    public static IEnumerable<NftFamily> Of(NftStatement statement) => statement switch
    {
        NftMatch match => NftExpressionTypes.FamiliesOf(match.Left),
        NftPrefixMatch match => NftExpressionTypes.FamiliesOf(match.Left),
        NftBitsMatch match => NftExpressionTypes.FamiliesOf(match.Left),
        NftSetMatch match => NftExpressionTypes.FamiliesOf(match.Key),
        NftAnonymousSetMatch match => NftExpressionTypes.FamiliesOf(match.Key),
        NftVerdictMapStatement map => NftExpressionTypes.FamiliesOf(map.Key),
        NftAnonymousVerdictMap map => NftExpressionTypes.FamiliesOf(map.Key),
        NftSetMark mark => NftExpressionTypes.FamiliesOf(mark.Value),
        NftSetCtMark mark => NftExpressionTypes.FamiliesOf(mark.Value),
        NftDnat dnat => NftExpressionTypes.FamiliesOf(dnat.Target),
        NftTproxy tproxy => [tproxy.Address.Type == NftDataType.Ipv6Addr ? NftFamily.Ip6 : NftFamily.Ip],
        NftRedirect redirect => NftExpressionTypes.FamiliesOf(redirect.Port),
        NftSetAddress set => [.. NftExpressionTypes.FamiliesOf(new NftPayload(set.Field)), .. NftExpressionTypes.FamiliesOf(set.Value)],
        NftDynset dynset => [.. NftExpressionTypes.FamiliesOf(dynset.Key), .. dynset.Data is { } data ? NftExpressionTypes.FamiliesOf(data) : []],
        _ => [],
    };
}
