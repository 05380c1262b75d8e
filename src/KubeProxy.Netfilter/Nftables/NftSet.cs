using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>The identity of a set or map; both share one name space.</summary>
/// <param name="Table">The table.</param>
/// <param name="Name">The name, 1 to 255 bytes.</param>
public readonly record struct NftSetKey(NftTableKey Table, string Name);

/// <summary>
/// A data type as nft names it. The numbers are nft's own (its <c>TYPE_*</c>), kept in sets so that nft can print them.
/// </summary>
public enum NftDataType : uint
{
    /// <summary><c>nf_proto</c>: a family (<c>meta nfproto</c>), 1 byte.</summary>
    NfProto = 2,

    /// <summary>A number of up to 4 bytes, host order.</summary>
    Integer = 4,

    /// <summary><c>ipv4_addr</c>, 4 bytes.</summary>
    Ipv4Addr = 7,

    /// <summary><c>ipv6_addr</c>, 16 bytes.</summary>
    Ipv6Addr = 8,

    /// <summary><c>ether_addr</c>, 6 bytes.</summary>
    EtherAddr = 9,

    /// <summary><c>inet_proto</c>, 1 byte.</summary>
    InetProto = 12,

    /// <summary><c>inet_service</c>: a port, 2 bytes, network order.</summary>
    InetService = 13,

    /// <summary><c>mark</c>, 4 bytes, host order.</summary>
    Mark = 19,

    /// <summary><c>ct_state</c>: bits, 4 bytes, host order.</summary>
    CtState = 26,

    /// <summary><c>ct_dir</c>: <see cref="Rules.NftCtDirection"/>, 1 byte.</summary>
    CtDir = 27,

    /// <summary><c>ct_status</c>: bits, 4 bytes, host order.</summary>
    CtStatus = 28,

    /// <summary><c>fib_addrtype</c>: <see cref="Rules.NftAddrType"/>, 4 bytes, host order.</summary>
    FibAddrType = 38,

    /// <summary><c>ifname</c>, 16 bytes, padded with zeros.</summary>
    Ifname = 41,
}

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

    /// <summary>The flags.</summary>
    public NftSetFlags Flags { get; init; }

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
        && DataTypeof.AsSpan().SequenceEqual(other.DataTypeof.AsSpan());

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

    /// <summary>Observed only: how long it will still live.</summary>
    public TimeSpan? Expires { get; init; }

    /// <summary>A comment, at most 128 bytes; null for none.</summary>
    public string? Comment { get; init; }
}
