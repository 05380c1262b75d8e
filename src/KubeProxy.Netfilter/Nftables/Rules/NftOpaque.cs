using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>
/// An expression of the kernel that this library does not know, or that stands in a combination that it does not know. Its text is
/// one that nft refuses, and it is sent back as it came when the rule is added again.
/// </summary>
/// <param name="Name">The kernel's name of it, for example <c>xt</c>.</param>
public sealed record NftOpaque(string Name) : NftStatement
{
    /// <summary>Its attributes (<c>NFTA_EXPR_DATA</c>) as they are on the wire.</summary>
    public ImmutableArray<byte> Attributes { get; init; } = [];

    /// <summary>The anonymous set that it looks something up in: a new one is made when it is written; null for none.</summary>
    public NftAnonymousSet? Set { get; init; }

    /// <summary>Of an expression that carries an extension of xtables (<c>match</c>, <c>target</c>), which one, for example <c>comment</c>; else null.</summary>
    public string? Extension
    {
        get
        {
            // The name comes first: length, NFTA_MATCH_NAME or NFTA_TARGET_NAME (1), and a text that ends with 0.
            var bytes = Attributes.AsSpan();
            if (Name is not ("match" or "target") || bytes.Length < 4 || MemoryMarshal.Read<ushort>(bytes[2..]) != 1) return null;
            var length = MemoryMarshal.Read<ushort>(bytes);
            return length < 4 || length > bytes.Length ? null : Encoding.UTF8.GetString(bytes[4..length].TrimEnd((byte)0));
        }
    }

    /// <inheritdoc/>
    public bool Equals(NftOpaque? other) => other is not null && Name == other.Name && EqualityComparer<NftAnonymousSet?>.Default.Equals(Set, other.Set)
        && (Set is not null || Attributes.AsSpan().SequenceEqual(other.Attributes.AsSpan()));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Attributes.Length);
}

/// <summary>An anonymous set of an opaque expression.</summary>
/// <param name="Set">What it is like; its name says nothing.</param>
/// <param name="Elements">What is in it.</param>
public sealed record NftAnonymousSet(NftSet Set, NftElements Elements)
{
    /// <inheritdoc/>
    public bool Equals(NftAnonymousSet? other) => other is not null && Elements.Equals(other.Elements) && (Set with { Key = other.Set.Key }).Equals(other.Set);

    /// <inheritdoc/>
    public override int GetHashCode() => Elements.GetHashCode();
}
