namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>Ranges are two comparisons in the kernel.</summary>
internal static class NftRanges
{
    /// <summary>The range that two comparisons in a row mean, as nft understands them; null when they mean none.</summary>
    public static NftRangeMatch? Join(NftMatch first, NftStatement second)
    {
        if (second is not NftMatch last || first.Left != last.Left || first.Right.Value.Length != last.Right.Value.Length) return null;
        return (first.Operator, last.Operator) switch
        {
            (NftOperator.GreaterOrEqual, NftOperator.LessOrEqual) => new NftRangeMatch(first.Left, first.Right, last.Right),
            _ => null,
        };
    }
}
