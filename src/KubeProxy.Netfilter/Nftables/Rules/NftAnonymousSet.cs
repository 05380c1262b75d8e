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
        Items = [.. elements.OrderBy(element => element.IsCatchAll).ThenBy(element => element.Key, NftDataOrder.Instance)];
        IsInterval = Items.Any(element => !element.KeyEnd.IsEmpty);
        if (IsInterval) Items = [.. Items.Select(element => element.KeyEnd.IsEmpty && !element.IsCatchAll ? element with { KeyEnd = element.Key } : element)];
    }

    /// <summary>The elements, sorted by key.</summary>
    public ImmutableArray<NftElement> Items { get; }

    /// <summary>Whether elements are ranges.</summary>
    public bool IsInterval { get; }

    /// <summary>The elements with other keys.</summary>
    internal NftElements WithKeys(Func<NftData, NftData> change) => new(Items.Select(element => element with
    {
        Key = element.IsCatchAll ? default : change(element.Key), KeyEnd = element.KeyEnd.IsEmpty ? default : change(element.KeyEnd),
    }));

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

    /// <summary>The lengths of the parts in bytes, where they are not those of the types; empty otherwise.</summary>
    public ImmutableArray<int> Lengths { get; init; } = [];

    /// <summary>Whether each value is a range: the first value and the last one.</summary>
    public bool IsInterval { get; init; }

    /// <summary>What the parts are, where they stand.</summary>
    internal ImmutableArray<NftFormat> Formats => NftSetFormats.Of(Parts, Lengths);

    /// <summary>The length of the data in bytes.</summary>
    internal int Length => NftExpressionTypes.LengthOf(Formats) * (IsInterval ? 2 : 1);

    /// <summary>The type of what a map has.</summary>
    internal static NftTypes OfData(NftSet set) => new(set.DataType) { Lengths = set.DataLengths, IsInterval = set.HasDataIntervals };

    /// <inheritdoc/>
    public bool Equals(NftTypes? other) => other is not null && IsInterval == other.IsInterval && Parts.AsSpan().SequenceEqual(other.Parts.AsSpan())
        && Lengths.AsSpan().SequenceEqual(other.Lengths.AsSpan());

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
