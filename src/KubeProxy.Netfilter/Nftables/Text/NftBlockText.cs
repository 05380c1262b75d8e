using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Text;

/// <summary>Rules with the blocks that they jump into: <c>jump { ... }</c>.</summary>
internal static class NftBlockText
{
    private const int MaxDepth = 16; // NFT_JUMP_STACK_SIZE

    /// <param name="rule">The rule.</param>
    /// <param name="content">The table, which has the blocks as chains.</param>
    /// <param name="indentation">What each line begins with.</param>
    /// <param name="depth">How many blocks it is in.</param>
    public static string Rule(NftRule rule, NftTableContent content, string indentation, int depth = 0)
    {
        var family = content.Table.Key.Family;
        if (depth >= MaxDepth || rule.Statements is not [.., NftVerdictStatement { Verdict: { Chain: { } name } verdict }]
            || !content.Chains.TryGetValue(name, out var chain) || !chain.IsBlock) return indentation + NftRuleText.Rule(rule, family);
        var start = NftRuleText.Rule(rule with { Statements = rule.Statements[..^1], Comment = null }, family);
        var lines = content.Rules[name].Select(inner => Rule(inner.Rule, content, indentation + "\t", depth + 1) + "\n");
        var end = rule.Comment is { } comment ? $" comment {NftValueText.Quoted(comment)}" : "";
        return $"{indentation}{(start.Length > 0 ? start + " " : "")}{verdict.Kind.ToString().ToLowerInvariant()} {{\n{string.Concat(lines)}{indentation}}}{end}";
    }
}
