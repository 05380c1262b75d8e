using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>What the registers from one on hold while a rule is being read.</summary>
internal abstract record NftLoaded(int Length)
{
    /// <summary>A whole expression.</summary>
    public sealed record Value(NftExpression Whole, int Length) : NftLoaded(Length);

    /// <summary>Bytes of the packet: a field, or the beginning of one.</summary>
    public sealed record Field(NftFieldLayout Layout, int Length) : NftLoaded(Length);

    /// <summary>A constant.</summary>
    public sealed record Constant(NftData Data) : NftLoaded(Data.Length);

    /// <summary>Whether the packet has a transparent socket.</summary>
    public sealed record TransparentSocket() : NftLoaded(1);

    /// <summary>Something under a mask.</summary>
    public sealed record Masked(NftLoaded Inner, ImmutableArray<byte> Mask, ImmutableArray<byte> Xor) : NftLoaded(Inner.Length);

    /// <summary>The expression, when it is a whole one that can stand for itself; null otherwise.</summary>
    public NftExpression? Expression => this switch
    {
        Value value => value.Whole,
        Field of when of.Length == of.Layout.Length => new NftPayload(of.Layout.Field),
        Masked { Inner.Expression: { } inner, Mask.Length: 4 } masked when inner.TypesOf() is [var type] && type.IsHostOrder() =>
            new NftBitwise(inner, NftRaise.Number(masked.Mask.AsSpan()), NftRaise.Number(masked.Xor.AsSpan())),
        _ => null,
    };
}
