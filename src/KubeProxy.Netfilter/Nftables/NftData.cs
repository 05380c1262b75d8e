using System.Runtime.CompilerServices;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>
/// Up to 64 bytes of register content (<c>NFT_DATA_VALUE_MAXLEN</c>): a key or datum of a set element, or a constant in a
/// rule, in the byte order that its type has in a register. Parts of a concatenation are padded to 4 bytes each.
/// </summary>
public readonly struct NftData : IEquatable<NftData>
{
    /// <summary>The largest length in bytes.</summary>
    public const int MaxLength = 64; // NFT_DATA_VALUE_MAXLEN

    private readonly Buffer _bytes;
    private readonly byte _length;

    /// <summary>Copies the bytes.</summary>
    /// <exception cref="ArgumentException">More than 64 bytes.</exception>
    public NftData(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxLength)
            throw new ArgumentException($"nf_tables data has at most {MaxLength} bytes, not {bytes.Length}.", nameof(bytes));
        bytes.CopyTo(_bytes);
        _length = (byte)bytes.Length;
    }

    /// <summary>The length in bytes, 0 to 64.</summary>
    public int Length => _length;

    /// <summary>Whether there is no data.</summary>
    public bool IsEmpty => _length == 0;

    /// <summary>The bytes. Valid as long as the variable that it is called on.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ReadOnlySpan<byte> Span => ((ReadOnlySpan<byte>)_bytes)[.._length];

    /// <inheritdoc/>
    public bool Equals(NftData other) => Span.SequenceEqual(other.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is NftData other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    /// <summary>The bytes in hexadecimal.</summary>
    public override string ToString() => Convert.ToHexStringLower(Span);

    /// <summary>Whether both hold the same bytes.</summary>
    public static bool operator ==(NftData left, NftData right) => left.Equals(right);

    /// <summary>Whether they differ.</summary>
    public static bool operator !=(NftData left, NftData right) => !left.Equals(right);

    [InlineArray(MaxLength)]
    private struct Buffer
    {
        private byte _first;
    }
}
