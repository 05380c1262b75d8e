using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>A rule: statements that are evaluated in order until one does not match or decides.</summary>
public sealed record NftRule
{
    /// <summary>Makes a rule.</summary>
    public NftRule(params ImmutableArray<NftStatement> statements) => Statements = statements;

    /// <summary>The statements.</summary>
    public ImmutableArray<NftStatement> Statements { get; init; }

    /// <summary>A comment, at most 128 bytes; null for none.</summary>
    public string? Comment { get; init; }

    /// <inheritdoc/>
    public bool Equals(NftRule? other) => other is not null && Comment == other.Comment
        && Statements.AsSpan().SequenceEqual(other.Statements.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Comment, Statements.Length, Statements is [var first, ..] ? first : null);
}
