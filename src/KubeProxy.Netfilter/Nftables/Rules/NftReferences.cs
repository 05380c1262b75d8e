namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>What a rule refers to by name.</summary>
internal static class NftReferences
{
    /// <summary>The verdicts in the rule, those of anonymous verdict maps included.</summary>
    public static IEnumerable<NftVerdict> Verdicts(NftRule rule)
    {
        foreach (var statement in rule.Statements)
        {
            if (statement is NftVerdictStatement verdict) yield return verdict.Verdict;
            if (statement is not NftAnonymousVerdictMap map) continue;
            foreach (var element in map.Elements.Items)
                if (element.Verdict is { } own)
                    yield return own;
        }
    }

    /// <summary>The named sets that the rule uses, once for every use.</summary>
    public static IEnumerable<string> Sets(NftRule rule) => rule.Statements.SelectMany(Sets);

    private static IEnumerable<string> Sets(NftStatement statement) => statement switch
    {
        NftSetMatch match => [match.Set, .. Sets(match.Key)],
        NftVerdictMapStatement map => [map.Map, .. Sets(map.Key)],
        NftDynset dynset => [dynset.Set, .. Sets(dynset.Key), .. dynset.Data is { } data ? Sets(data) : []],
        NftSetAddress set => Sets(set.Value),
        NftMatch match => Sets(match.Left),
        NftPrefixMatch match => Sets(match.Left),
        NftBitsMatch match => Sets(match.Left),
        NftAnonymousSetMatch match => Sets(match.Key),
        NftAnonymousVerdictMap map => Sets(map.Key),
        NftSetMark mark => Sets(mark.Value),
        NftSetCtMark mark => Sets(mark.Value),
        NftDnat dnat => Sets(dnat.Target),
        NftRedirect redirect => Sets(redirect.Port),
        _ => [],
    };

    private static IEnumerable<string> Sets(NftExpression expression) => expression switch
    {
        NftMapLookup lookup => [lookup.Map, .. Sets(lookup.Key)],
        NftAnonymousMapLookup lookup => Sets(lookup.Key),
        NftBitwise bitwise => Sets(bitwise.Value),
        NftJhash hash => Sets(hash.Value),
        NftConcat concat => concat.Parts.SelectMany(Sets),
        _ => [],
    };
}
