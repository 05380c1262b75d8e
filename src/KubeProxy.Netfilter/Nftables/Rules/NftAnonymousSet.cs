using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>
/// The elements of an anonymous set, which lives and dies with its rule. Compared as a set: the order does not count.
/// With a <see cref="NftElement.KeyEnd"/> in any element it is a set of ranges.
/// </summary>
public sealed class NftElements : IEquatable<NftElements>
{
    /// <summary>Makes it; elements are kept sorted by key.</summary>
    public NftElements(params IEnumerable<NftElement> elements)
    {
        Items = [.. elements.OrderBy(element => element.Key, NftDataOrder.Instance)];
        IsInterval = Items.Any(element => !element.KeyEnd.IsEmpty);
        if (IsInterval) Items = [.. Items.Select(element => element.KeyEnd.IsEmpty ? element with { KeyEnd = element.Key } : element)];
    }

    /// <summary>The elements, sorted by key.</summary>
    public ImmutableArray<NftElement> Items { get; }

    /// <summary>Whether elements are ranges.</summary>
    public bool IsInterval { get; }

    /// <inheritdoc/>
    public bool Equals(NftElements? other) => other is not null && Items.AsSpan().SequenceEqual(other.Items.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as NftElements);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Items.Length, Items.IsEmpty ? default : Items[0].Key);
}

/// <summary>Continues only when the value is (or is not) one of these: <c>ip saddr { 10.0.0.0/8, 192.168.1.1 }</c>.</summary>
public sealed record NftAnonymousSetMatch(NftExpression Key, NftElements Elements, bool Negated = false) : NftStatement;

/// <summary>Decides by these verdicts: <c>tcp dport vmap { 22 : accept, 23 : drop }</c>. Goes on when it has no such key.</summary>
public sealed record NftAnonymousVerdictMap(NftExpression Key, NftElements Elements) : NftStatement;

/// <summary>What these have for a key: <c>numgen random mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }</c>.</summary>
/// <param name="Key">The key.</param>
/// <param name="DataType">The type of the data; see <see cref="NftTypes"/>.</param>
/// <param name="Elements">Elements with data.</param>
public sealed record NftAnonymousMapLookup(NftExpression Key, NftTypes DataType, NftElements Elements) : NftExpression;

/// <summary>A type: one, or several concatenated. Compared by value.</summary>
public sealed class NftTypes(params ImmutableArray<NftDataType> parts) : IEquatable<NftTypes>
{
    /// <summary>The parts.</summary>
    public ImmutableArray<NftDataType> Parts { get; } = parts;

    /// <inheritdoc/>
    public bool Equals(NftTypes? other) => other is not null && Parts.AsSpan().SequenceEqual(other.Parts.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as NftTypes);

    /// <inheritdoc/>
    public override int GetHashCode() => Parts.Aggregate(Parts.Length, HashCode.Combine);

    /// <summary>As nft writes it.</summary>
    public override string ToString() => string.Join(" . ", Parts.Select(part => part.NftName()));
}

internal sealed class NftDataOrder : IComparer<NftData>
{
    public static NftDataOrder Instance { get; } = new();

    public int Compare(NftData x, NftData y) => x.Span.SequenceCompareTo(y.Span);
}
