using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>The identity of a table.</summary>
/// <param name="Family">The family.</param>
/// <param name="Name">The name, 1 to 255 bytes.</param>
public readonly record struct NftTableKey(NftFamily Family, string Name);

/// <summary>Flags of a table (<c>enum nft_table_flags</c>).</summary>
[Flags]
public enum NftTableFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>The base chains of the table see no packets.</summary>
    Dormant = 1, // NFT_TABLE_F_DORMANT

    /// <summary>Only the socket that made the table may change it, and it goes with the socket. Linux 5.12.</summary>
    Owner = 2, // NFT_TABLE_F_OWNER

    /// <summary>With <see cref="Owner"/>: the table stays when the socket goes. Linux 6.9.</summary>
    Persist = 4, // NFT_TABLE_F_PERSIST
}

/// <summary>A table: the container of everything else.</summary>
public sealed record NftTable(NftTableKey Key)
{
    /// <summary>The flags.</summary>
    public NftTableFlags Flags { get; init; }

    /// <summary>A comment, at most 128 bytes; null for none. Kept by the kernel since Linux 5.10.</summary>
    public string? Comment { get; init; }

    /// <summary>Attributes that this library does not know, as they are on the wire; written back as they are.</summary>
    public ImmutableArray<byte> Unknown { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(NftTable? other) => other is not null && Key == other.Key && Flags == other.Flags && Comment == other.Comment
        && Unknown.AsSpan().SequenceEqual(other.Unknown.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Key, Flags, Comment);
}
