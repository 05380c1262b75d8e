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

    /// <summary>The named objects that the rule uses.</summary>
    public static IEnumerable<(NftObjectKind Kind, string Name)> Objects(NftRule rule) =>
        rule.Statements.OfType<NftObjectReference>().Select(reference => (reference.Kind, reference.Name));

    private static IEnumerable<string> Sets(NftStatement statement)
    {
        var own = statement switch
        {
            NftSetMatch match => match.Set,
            NftVerdictMapStatement map => map.Map,
            NftDynset { Meter: null } dynset => dynset.Set,
            NftObjectMapStatement map => map.Map,
            _ => null,
        };
        if (own is not null) yield return own;
        foreach (var lookup in NftParts.All(statement).OfType<NftMapLookup>()) yield return lookup.Map;
    }
}
