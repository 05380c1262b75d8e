using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>
/// An expression of the kernel that this library does not know, or that stands in a combination that it does not know. It is
/// shown as a comment, and it is sent back as it came when the rule is added again.
/// </summary>
/// <param name="Name">The kernel's name of it, for example <c>xt</c> or <c>limit</c>.</param>
public sealed record NftOpaque(string Name) : NftStatement
{
    /// <summary>Its attributes (<c>NFTA_EXPR_DATA</c>) as they are on the wire.</summary>
    public ImmutableArray<byte> Attributes { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(NftOpaque? other) => other is not null && Name == other.Name
        && Attributes.AsSpan().SequenceEqual(other.Attributes.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Attributes.Length);
}
