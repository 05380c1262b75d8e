using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>The typeof of a set and its type belong together.</summary>
internal static class NftSetTypeof
{
    /// <summary>Whether there are expressions, and they have these types.</summary>
    public static bool HasType(ImmutableArray<NftExpression> expressions, ImmutableArray<NftDataType> types) =>
        !expressions.IsEmpty && expressions.SelectMany(expression => expression.TypesOf()).SequenceEqual(types);
}
