using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>The identity of a set or map; both share one name space.</summary>
/// <param name="Table">The table.</param>
/// <param name="Name">The name, 1 to 255 bytes.</param>
public readonly record struct NftSetKey(NftTableKey Table, string Name);

/// <summary>Flags of a set (<c>enum nft_set_flags</c>).</summary>
[Flags]
public enum NftSetFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>Elements are never added after the set is bound.</summary>
    Constant = 0x2, // NFT_SET_CONSTANT

    /// <summary>Elements are ranges.</summary>
    Interval = 0x4, // NFT_SET_INTERVAL

    /// <summary>Elements may have a timeout.</summary>
    Timeout = 0x10, // NFT_SET_TIMEOUT

    /// <summary>Rules may add elements.</summary>
    Dynamic = 0x20, // NFT_SET_EVAL
}

/// <summary>What the elements of a set map to.</summary>
public enum NftSetKind
{
    /// <summary>Nothing: a set.</summary>
    Set,

    /// <summary>Data: a map.</summary>
    Map,

    /// <summary>A verdict: a verdict map.</summary>
    VerdictMap,

    /// <summary>A named object, such as a counter: an object map.</summary>
    ObjectMap,
}

/// <summary>A named set, map or verdict map.</summary>
public sealed record NftSet(NftSetKey Key)
{
    /// <summary>Whether it is a set, a map or a verdict map.</summary>
    public NftSetKind Kind { get; init; }

    /// <summary>The type of the key: one type, or several concatenated.</summary>
    public required ImmutableArray<NftDataType> KeyType { get; init; }

    /// <summary>The type of the data of a <see cref="NftSetKind.Map"/>; empty otherwise.</summary>
    public ImmutableArray<NftDataType> DataType { get; init; } = [];

    /// <summary>
    /// The expressions that make up the key (and the data), as nft's <c>typeof</c> has it. Needed for nft to print sets whose
    /// key has a part without a size of its own, such as <c>numgen</c>. Empty: declared by type.
    /// </summary>
    public ImmutableArray<Rules.NftExpression> KeyTypeof { get; init; } = [];

    /// <summary>See <see cref="KeyTypeof"/>; needed when that is set and the set is a map.</summary>
    public ImmutableArray<Rules.NftExpression> DataTypeof { get; init; } = [];

    /// <summary>
    /// The lengths of the key's parts in bytes, where they are not those that the types (or the typeof) have; empty otherwise.
    /// </summary>
    public ImmutableArray<int> KeyLengths { get; init; } = [];

    /// <summary>See <see cref="KeyLengths"/>, for the data.</summary>
    public ImmutableArray<int> DataLengths { get; init; } = [];

    /// <summary>Whether the data of a map are ranges: the first value and the last one, side by side.</summary>
    public bool HasDataIntervals { get; init; }

    /// <summary>What an <see cref="NftSetKind.ObjectMap"/> maps to.</summary>
    public Rules.NftObjectKind ObjectKind { get; init; }

    /// <summary>What every element gets that is added without: <c>counter</c>, <c>limit rate ...</c>.</summary>
    public ImmutableArray<Rules.NftStateful> Statements { get; init; } = [];

    /// <summary>The flags.</summary>
    public NftSetFlags Flags { get; init; }

    /// <summary>Whether the kernel is to save memory instead of time: <c>policy memory</c>.</summary>
    public bool PrefersMemory { get; init; }

    /// <summary>How often expired elements are taken out; null for the default.</summary>
    public TimeSpan? GcInterval { get; init; }

    /// <summary>Whether nft joins ranges that touch: <c>auto-merge</c>. The kernel does not care.</summary>
    public bool AutoMerge { get; init; }

    /// <summary>
    /// What nft keeps with the set, where it is more than what the other properties say (a typeof that this library does not know): written
    /// back as it is. Empty otherwise.
    /// </summary>
    public ImmutableArray<byte> Userdata { get; init; } = [];

    /// <summary>Attributes that this library does not know, as they are on the wire; written back as they are.</summary>
    public ImmutableArray<byte> Unknown { get; init; } = [];

    /// <summary>How long elements live unless they say otherwise; null for ever. Millisecond resolution.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The largest number of elements; null for no limit. Without a limit the kernel resizes as it grows.</summary>
    public uint? Size { get; init; }

    /// <summary>A comment, at most 128 bytes; null for none. Kept by the kernel since Linux 5.10 (as user data).</summary>
    public string? Comment { get; init; }

    /// <inheritdoc/>
    public bool Equals(NftSet? other) => other is not null && Key == other.Key && Kind == other.Kind && Flags == other.Flags
        && Timeout == other.Timeout && Size == other.Size && Comment == other.Comment
        && KeyType.AsSpan().SequenceEqual(other.KeyType.AsSpan()) && DataType.AsSpan().SequenceEqual(other.DataType.AsSpan())
        && KeyTypeof.AsSpan().SequenceEqual(other.KeyTypeof.AsSpan())
        && DataTypeof.AsSpan().SequenceEqual(other.DataTypeof.AsSpan())
        && KeyLengths.AsSpan().SequenceEqual(other.KeyLengths.AsSpan()) && DataLengths.AsSpan().SequenceEqual(other.DataLengths.AsSpan())
        && HasDataIntervals == other.HasDataIntervals && ObjectKind == other.ObjectKind && PrefersMemory == other.PrefersMemory
        && GcInterval == other.GcInterval && AutoMerge == other.AutoMerge && Statements.AsSpan().SequenceEqual(other.Statements.AsSpan())
        && Userdata.AsSpan().SequenceEqual(other.Userdata.AsSpan()) && Unknown.AsSpan().SequenceEqual(other.Unknown.AsSpan());

    /// <summary>The byte order that nft prints keys of anonymous sets by, where the type does not say it.</summary>
    internal NftByteOrder? KeyOrder { get; init; }

    /// <summary>The length of a key in bytes.</summary>
    internal int KeyLength => NftSetFormats.Length(KeyTypeof, KeyType, KeyLengths);

    /// <summary>The length of the data in bytes; 0 for what is no map of data.</summary>
    internal int DataLength => Kind != NftSetKind.Map ? 0 : NftSetFormats.Length(DataTypeof, DataType, DataLengths) * (HasDataIntervals ? 2 : 1);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Key, Kind, Flags, Timeout, KeyType.Length, DataType.Length);
}

/// <summary>An element of a set, map or verdict map. Its identity is <see cref="Key"/> and <see cref="KeyEnd"/>.</summary>
public readonly record struct NftElement
{
    /// <summary>The key; for an interval its first value.</summary>
    public required NftData Key { get; init; }

    /// <summary>For an element of an interval set its last value (inclusive); empty otherwise.</summary>
    public NftData KeyEnd { get; init; }

    /// <summary>What a map's element maps to; empty otherwise.</summary>
    public NftData Data { get; init; }

    /// <summary>What a verdict map's element maps to; null otherwise.</summary>
    public Rules.NftVerdict? Verdict { get; init; }

    /// <summary>How long it lives; null: as the set says.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How long it will still live; null where it does not end, and for the whole <see cref="Timeout"/> when it is added.</summary>
    public TimeSpan? Expires { get; init; }

    /// <summary>A comment, at most 128 bytes; null for none.</summary>
    public string? Comment { get; init; }

    /// <summary>Whether it stands for every key that no other element has: <c>*</c>. Its <see cref="Key"/> is empty then. Linux 5.13.</summary>
    public bool IsCatchAll { get; init; }

    /// <summary>What few elements have besides; null for none of it.</summary>
    public NftElementDetails? Details { get; init; }
}

/// <summary>What few elements have: statements, an object, and what this library does not know.</summary>
public sealed record NftElementDetails
{
    /// <summary>Statements of the element, such as a counter.</summary>
    public ImmutableArray<Rules.NftStateful> Statements { get; init; } = [];

    /// <summary>The object that an element of an object map maps to; null otherwise.</summary>
    public string? Object { get; init; }

    /// <summary>Attributes that this library does not know, as they are on the wire; written back as they are.</summary>
    public ImmutableArray<byte> Unknown { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(NftElementDetails? other) => other is not null && Object == other.Object
        && Statements.AsSpan().SequenceEqual(other.Statements.AsSpan()) && Unknown.AsSpan().SequenceEqual(other.Unknown.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Object, Statements.Length, Unknown.Length);
}
