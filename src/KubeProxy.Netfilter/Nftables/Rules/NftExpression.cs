using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>Something that has a value for each packet. Compared by value.</summary>
public abstract record NftExpression
{
    private protected NftExpression() { }
}

/// <summary>A field of the packet.</summary>
public enum NftField
{
    /// <summary><c>ip saddr</c>.</summary>
    IpSaddr,

    /// <summary><c>ip daddr</c>.</summary>
    IpDaddr,

    /// <summary><c>ip6 saddr</c>.</summary>
    Ip6Saddr,

    /// <summary><c>ip6 daddr</c>.</summary>
    Ip6Daddr,

    /// <summary><c>th sport</c>: the source port, whatever the transport.</summary>
    ThSport,

    /// <summary><c>th dport</c>: the destination port, whatever the transport.</summary>
    ThDport,

    /// <summary><c>ip protocol</c>.</summary>
    IpProtocol,

    /// <summary><c>ip6 nexthdr</c>.</summary>
    Ip6Nexthdr,
}

/// <summary>A field of the packet (<c>NFTA_PAYLOAD_*</c>).</summary>
public sealed record NftPayload(NftField Field) : NftExpression;

/// <summary>A key of the meta expression (<c>enum nft_meta_keys</c>).</summary>
public enum NftMetaKey : uint
{
    /// <summary><c>meta mark</c>: the packet mark.</summary>
    Mark = 3, // NFT_META_MARK

    /// <summary><c>iifname</c>: the name of the input interface.</summary>
    Iifname = 6, // NFT_META_IIFNAME

    /// <summary><c>oifname</c>: the name of the output interface.</summary>
    Oifname = 7, // NFT_META_OIFNAME

    /// <summary><c>meta nfproto</c>: the family, in inet tables.</summary>
    Nfproto = 15, // NFT_META_NFPROTO

    /// <summary><c>meta l4proto</c>: the transport protocol.</summary>
    L4proto = 16, // NFT_META_L4PROTO

    /// <summary><c>meta iifkind</c>: the kind of the input interface, such as <c>bridge</c>. Linux 5.6.</summary>
    Iifkind = 26, // NFT_META_IIFKIND
}

/// <summary>Metadata of the packet.</summary>
public sealed record NftMeta(NftMetaKey Key) : NftExpression;

/// <summary>A key of the ct expression (<c>enum nft_ct_keys</c>).</summary>
public enum NftCtKey : uint
{
    /// <summary><c>ct state</c>: a bit mask, see <see cref="NftCtState"/>.</summary>
    State = 0, // NFT_CT_STATE

    /// <summary><c>ct direction</c>: see <see cref="NftCtDirection"/>.</summary>
    Direction = 1, // NFT_CT_DIRECTION

    /// <summary><c>ct status</c>: a bit mask, see <see cref="NftCtStatus"/>.</summary>
    Status = 2, // NFT_CT_STATUS

    /// <summary><c>ct mark</c>.</summary>
    Mark = 3, // NFT_CT_MARK
}

/// <summary>Values of <see cref="NftCtKey.Direction"/> (<c>enum ip_conntrack_dir</c>), of one byte.</summary>
public enum NftCtDirection : byte
{
    /// <summary>From whom the connection was opened by.</summary>
    Original = 0, // IP_CT_DIR_ORIGINAL

    /// <summary>Towards whom the connection was opened by.</summary>
    Reply = 1, // IP_CT_DIR_REPLY
}

/// <summary>Values of <see cref="NftCtKey.State"/>.</summary>
[Flags]
public enum NftCtState : uint
{
    /// <summary>invalid.</summary>
    Invalid = 1,

    /// <summary>established.</summary>
    Established = 2,

    /// <summary>related.</summary>
    Related = 4,

    /// <summary>new.</summary>
    New = 8,

    /// <summary>untracked.</summary>
    Untracked = 64,
}

/// <summary>Values of <see cref="NftCtKey.Status"/> (<c>enum ip_conntrack_status</c>).</summary>
[Flags]
public enum NftCtStatus : uint
{
    /// <summary>The source is translated.</summary>
    Snat = 0x10, // IPS_SRC_NAT

    /// <summary>The destination is translated.</summary>
    Dnat = 0x20, // IPS_DST_NAT
}

/// <summary>Connection tracking.</summary>
public sealed record NftCt(NftCtKey Key) : NftExpression;

/// <summary>
/// An address of the first packet of the connection, whatever became of it since: <c>ct original ip saddr</c>. Only in tables of the
/// field's family.
/// </summary>
/// <param name="Field">A source or destination address.</param>
public sealed record NftCtOriginal(NftField Field) : NftExpression;

/// <summary>Which address <see cref="NftFibAddrType"/> looks up.</summary>
public enum NftFibAddress
{
    /// <summary>The source.</summary>
    Saddr,

    /// <summary>The destination.</summary>
    Daddr,
}

/// <summary>Values of <see cref="NftFibAddrType"/> (<c>RTN_*</c> in <c>linux/rtnetlink.h</c>).</summary>
public enum NftAddrType : uint
{
    /// <summary>Some other host's.</summary>
    Unicast = 1, // RTN_UNICAST

    /// <summary>This host's.</summary>
    Local = 2, // RTN_LOCAL

    /// <summary>Broadcast.</summary>
    Broadcast = 3, // RTN_BROADCAST

    /// <summary>Multicast.</summary>
    Multicast = 5, // RTN_MULTICAST
}

/// <summary>The type of an address by the routing tables: <c>fib daddr type</c>.</summary>
public sealed record NftFibAddrType(NftFibAddress Address) : NftExpression;

/// <summary>A number from 0 to <paramref name="Modulus"/> - 1: <c>numgen random mod N</c> or <c>numgen inc mod N</c>.</summary>
/// <param name="Modulus">1 or more.</param>
/// <param name="Incremental">Counting up instead of random.</param>
public sealed record NftNumgen(uint Modulus, bool Incremental = false) : NftExpression;

/// <summary>
/// A hash of a value: <c>jhash ip saddr . ip daddr mod 4294967295 seed 0x1</c>. See <c>NftJenkins</c> for the same outside of the kernel.
/// </summary>
/// <param name="Value">What is hashed: a value, or several concatenated.</param>
/// <param name="Modulus">The hash is from 0 to this minus 1; 1 or more.</param>
/// <param name="Seed">Hashes with different seeds have nothing to do with each other.</param>
public sealed record NftJhash(NftExpression Value, uint Modulus, uint Seed) : NftExpression;

/// <summary>Several values one after the other, each padded to 4 bytes: <c>a . b . c</c>.</summary>
public sealed record NftConcat : NftExpression
{
    /// <summary>Makes a concatenation of two or more parts.</summary>
    public NftConcat(params ImmutableArray<NftExpression> parts) => Parts = parts;

    /// <summary>The parts.</summary>
    public ImmutableArray<NftExpression> Parts { get; init; }

    /// <inheritdoc/>
    public bool Equals(NftConcat? other) => other is not null && Parts.AsSpan().SequenceEqual(other.Parts.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Parts.Aggregate(17, HashCode.Combine);
}

/// <summary>A constant in register byte order.</summary>
public sealed record NftConstant(NftDataType Type, NftData Value) : NftExpression;

/// <summary>What a map has for a key: <c>key map @name</c>. Does not match when it has nothing.</summary>
public sealed record NftMapLookup(NftExpression Key, string Map) : NftExpression;

/// <summary><c>value &amp; mask ^ xor</c>, on 4-byte values in host order.</summary>
public sealed record NftBitwise(NftExpression Value, uint Mask, uint Xor) : NftExpression;
