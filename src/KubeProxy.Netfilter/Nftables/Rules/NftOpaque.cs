using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;

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
    public bool Equals(NftOpaque? other) => other is not null && Name == other.Name
        && Attributes.AsSpan().SequenceEqual(other.Attributes.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Attributes.Length);
}
