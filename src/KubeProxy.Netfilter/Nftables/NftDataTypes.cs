namespace KubeProxy.Netfilter.Nftables;

/// <summary>The byte order of a type in a register, as nft keeps it in the user data of a set (its <c>enum byteorder</c>).</summary>
internal enum NftByteOrder : uint
{
    Unspecified = 0,
    Host = 1,
    Big = 2,
}

/// <summary>Properties of <see cref="NftDataType"/> values.</summary>
public static class NftDataTypes
{
    /// <summary>The most parts of a concatenation: so many types of six bits fit into the number that nft gives their combination.</summary>
    public const int MaxConcatenation = 5;

    /// <summary>The length of a value in bytes; 4 for <see cref="NftDataType.Integer"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The type is none of <see cref="NftDataType"/>.</exception>
    public static int ByteLength(this NftDataType type) => TryByteLength(type)
        ?? throw new ArgumentOutOfRangeException(nameof(type), type, "Not a data type that this library knows.");

    /// <summary>The length of a value of this type in bytes: that of one part as it is, that of a concatenation padded.</summary>
    public static int ByteLength(ReadOnlySpan<NftDataType> parts)
    {
        if (parts.Length == 1) return parts[0].ByteLength();
        var length = 0;
        foreach (var part in parts) length += Padded(part.ByteLength());
        return length;
    }

    /// <summary>The name that nft has for the type, for example <c>ipv4_addr</c>.</summary>
    public static string NftName(this NftDataType type) => type switch
    {
        NftDataType.NfProto => "nf_proto",
        NftDataType.Integer => "integer",
        NftDataType.Ipv4Addr => "ipv4_addr",
        NftDataType.Ipv6Addr => "ipv6_addr",
        NftDataType.EtherAddr => "ether_addr",
        NftDataType.InetProto => "inet_proto",
        NftDataType.InetService => "inet_service",
        NftDataType.Mark => "mark",
        NftDataType.CtState => "ct_state",
        NftDataType.CtDir => "ct_dir",
        NftDataType.CtStatus => "ct_status",
        NftDataType.FibAddrType => "fib_addrtype",
        NftDataType.Ifname => "ifname",
        _ => "type" + ((uint)type).ToString(System.Globalization.CultureInfo.InvariantCulture),
    };

    /// <summary>The length of a part of a concatenation: whole 4-byte registers.</summary>
    internal static int Padded(int length) => (length + 3) & ~3;

    internal static int? TryByteLength(NftDataType type) => type switch
    {
        NftDataType.NfProto or NftDataType.InetProto or NftDataType.CtDir => 1,
        NftDataType.InetService => 2,
        NftDataType.Integer or NftDataType.Ipv4Addr or NftDataType.Mark => 4,
        NftDataType.CtState or NftDataType.CtStatus or NftDataType.FibAddrType => 4,
        NftDataType.EtherAddr => 6,
        NftDataType.Ipv6Addr or NftDataType.Ifname => 16,
        _ => null,
    };

    internal static NftByteOrder ByteOrder(NftDataType type) => type switch
    {
        NftDataType.Ipv4Addr or NftDataType.Ipv6Addr or NftDataType.EtherAddr or NftDataType.InetService => NftByteOrder.Big,
        NftDataType.InetProto or NftDataType.NfProto => NftByteOrder.Unspecified,
        _ => NftByteOrder.Host,
    };

    /// <summary>Whether values are numbers in host order.</summary>
    internal static bool IsHostOrder(this NftDataType type) => type.ByteLengthOrZero() == 4 && type != NftDataType.Ipv4Addr;

    private static int ByteLengthOrZero(this NftDataType type) => TryByteLength(type) ?? 0;
}
