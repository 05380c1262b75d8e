using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>Something that has a value for each packet. Compared by value.</summary>
public abstract record NftExpression
{
    private protected NftExpression() { }
}

/// <summary>A field of the packet: <c>tcp dport</c>.</summary>
/// <param name="Field">The field.</param>
public sealed record NftPayload(NftField Field) : NftExpression;

/// <summary>Bits of the packet that have no name: <c>@nh,96,32</c>. The value is right-aligned, in network order.</summary>
/// <param name="Base">From where on is counted.</param>
/// <param name="BitOffset">The first bit.</param>
/// <param name="BitLength">How many bits, at most 512 and whole bytes from a whole byte on.</param>
public sealed record NftRawPayload(NftPayloadBase Base, int BitOffset, int BitLength) : NftExpression;

/// <summary>
/// A field of an IPv6 extension header, IP option, TCP option or SCTP chunk, or whether there is one at all:
/// <c>frag id</c>, <c>tcp option maxseg size</c>, <c>exthdr hbh</c>.
/// </summary>
/// <param name="Kind">Of which.</param>
/// <param name="Type">The number of the header, option or chunk.</param>
/// <param name="BitOffset">Where the field begins in it; 0 with <paramref name="IsPresence"/>.</param>
/// <param name="BitLength">How long it is; 8 with <paramref name="IsPresence"/>.</param>
/// <param name="IsPresence">Whether it is there (1) or not (0), instead of a field.</param>
public sealed record NftExtension(NftExtensionKind Kind, byte Type, int BitOffset, int BitLength, bool IsPresence = false) : NftExpression;

/// <summary>What an <see cref="NftExtension"/> looks into (<c>enum nft_exthdr_op</c>).</summary>
public enum NftExtensionKind : uint
{
    /// <summary>IPv6 extension headers, by protocol.</summary>
    Ipv6Header = 0, // NFT_EXTHDR_OP_IPV6

    /// <summary>TCP options.</summary>
    TcpOption = 1, // NFT_EXTHDR_OP_TCPOPT

    /// <summary>IPv4 options.</summary>
    IpOption = 2, // NFT_EXTHDR_OP_IPV4

    /// <summary>SCTP chunks.</summary>
    SctpChunk = 3, // NFT_EXTHDR_OP_SCTP
}

/// <summary>Metadata of the packet: <c>meta mark</c>, <c>iifname</c>.</summary>
/// <param name="Key">What.</param>
public sealed record NftMeta(NftMetaKey Key) : NftExpression;

/// <summary>Connection tracking: <c>ct state</c>, <c>ct original ip saddr</c>.</summary>
/// <param name="Key">What.</param>
/// <param name="Direction">Of which direction; null for keys that have none, and for both.</param>
public sealed record NftCt(NftCtKey Key, NftCtDirection? Direction = null) : NftExpression
{
    /// <summary>
    /// An address of the first packet of the connection, whatever became of it since: <c>ct original ip saddr</c>. Only in tables of the
    /// field's family.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The field is no source or destination address.</exception>
    public static NftCt Original(NftField address) => new(AddressKey(address), NftCtDirection.Original);

    private static NftCtKey AddressKey(NftField address)
    {
        if (address == NftField.IpSaddr) return NftCtKey.SrcIp;
        if (address == NftField.IpDaddr) return NftCtKey.DstIp;
        if (address == NftField.Ip6Saddr) return NftCtKey.SrcIp6;
        return address == NftField.Ip6Daddr ? NftCtKey.DstIp6 : throw new ArgumentOutOfRangeException(nameof(address), address, "Not an address.");
    }
}

/// <summary>Which address <see cref="NftFib.TypeOf"/> looks up.</summary>
public enum NftFibAddress
{
    /// <summary>The source.</summary>
    Saddr,

    /// <summary>The destination.</summary>
    Daddr,
}

/// <summary>What the routing tables say: <c>fib daddr type</c>, <c>fib saddr . iif oif</c>.</summary>
/// <param name="Result">What is asked.</param>
/// <param name="Flags">With what it is looked up; exactly one address.</param>
public sealed record NftFib(NftFibResult Result, NftFibFlags Flags) : NftExpression
{
    /// <summary>The type of an address by the routing tables: <c>fib daddr type</c>.</summary>
    public static NftFib TypeOf(NftFibAddress address) =>
        new(NftFibResult.AddrType, address == NftFibAddress.Saddr ? NftFibFlags.Saddr : NftFibFlags.Daddr);
}

/// <summary>What the route of the packet says: <c>rt mtu</c>.</summary>
/// <param name="Key">What.</param>
public sealed record NftRt(NftRtKey Key) : NftExpression;

/// <summary>The socket that the packet is for or from: <c>socket mark</c>.</summary>
/// <param name="Key">What.</param>
/// <param name="Level">With <see cref="NftSocketKey.CgroupV2"/>: which ancestor, from the root (1) on.</param>
public sealed record NftSocket(NftSocketKey Key, uint Level = 0) : NftExpression;

/// <summary>The operating system that a SYN looks like: <c>osf name</c>, of 16 bytes.</summary>
/// <param name="Ttl">How the TTL is compared: 0 truly, 1 <c>loose</c>, 2 <c>skip</c> (<c>NF_OSF_TTL_*</c>).</param>
/// <param name="Version">With the version: <c>osf version</c>.</param>
public sealed record NftOsf(byte Ttl = 0, bool Version = false) : NftExpression;

/// <summary>The IPsec policy of the packet: <c>ipsec in reqid</c>.</summary>
/// <param name="Key">What.</param>
/// <param name="IsOut">Outbound instead of inbound.</param>
/// <param name="Number">Which state of several, from 0 on.</param>
public sealed record NftIpsec(NftIpsecKey Key, bool IsOut, uint Number = 0) : NftExpression;

/// <summary>A number from <paramref name="Offset"/> on, <paramref name="Modulus"/> different ones: <c>numgen random mod N</c> or <c>numgen inc mod N</c>.</summary>
/// <param name="Modulus">1 or more.</param>
/// <param name="Incremental">Counting up instead of random.</param>
/// <param name="Offset">The smallest.</param>
public sealed record NftNumgen(uint Modulus, bool Incremental = false, uint Offset = 0) : NftExpression;

/// <summary>
/// A hash of a value: <c>jhash ip saddr . ip daddr mod 4294967295 seed 0x1</c>. See <c>NftJenkins</c> for the same outside of the kernel.
/// </summary>
/// <param name="Value">What is hashed: a value, or several concatenated.</param>
/// <param name="Modulus">The hash is from 0 to this minus 1; 1 or more.</param>
/// <param name="Seed">Hashes with different seeds have nothing to do with each other. Null: the kernel chooses one.</param>
/// <param name="Offset">Is added to the hash.</param>
public sealed record NftJhash(NftExpression Value, uint Modulus, uint? Seed, uint Offset = 0) : NftExpression;

/// <summary>A hash of the connection, the same for both directions: <c>symhash mod 2</c>.</summary>
/// <param name="Modulus">The hash is from 0 to this minus 1; 1 or more.</param>
/// <param name="Offset">Is added to the hash.</param>
public sealed record NftSymhash(uint Modulus, uint Offset = 0) : NftExpression;

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

/// <summary>A constant in register byte order: that of its type, network order where it is compared with a field of the packet.</summary>
/// <param name="Type">The type.</param>
/// <param name="Value">The bytes; numbers of less than whole bytes are right-aligned.</param>
public sealed record NftConstant(NftDataType Type, NftData Value) : NftExpression;

/// <summary>What a map has for a key: <c>key map @name</c>. Does not match when it has nothing.</summary>
public sealed record NftMapLookup(NftExpression Key, string Map) : NftExpression;

/// <summary><c>value &amp; mask ^ xor</c>, both as long as the value, in its byte order.</summary>
public sealed record NftBitwise(NftExpression Value, NftData Mask, NftData Xor) : NftExpression
{
    /// <summary>On values of 4 bytes in host order, such as marks.</summary>
    public NftBitwise(NftExpression value, uint mask, uint xor) : this(value, NftValue.Number(mask), NftValue.Number(xor)) { }

    /// <summary>Whether nothing is turned over.</summary>
    internal bool IsMask => Xor.Span.IndexOfAnyExcept((byte)0) < 0;

    /// <summary>Mask and xor as numbers in host order; null when they have another length than 4.</summary>
    internal (uint Mask, uint Xor)? Numbers => Mask.Length == 4 && Xor.Length == 4
        ? (MemoryMarshal.Read<uint>(Mask.Span), MemoryMarshal.Read<uint>(Xor.Span)) : null;
}

/// <summary><c>value &lt;&lt; bits</c> or <c>value &gt;&gt; bits</c>.</summary>
/// <param name="Value">A number.</param>
/// <param name="IsLeft">Towards higher bits.</param>
/// <param name="Bits">How far, 1 to 31.</param>
public sealed record NftShift(NftExpression Value, bool IsLeft, uint Bits) : NftExpression;

/// <summary>
/// The value in network order, in which the sets of ranges keep numbers: <c>meta mark { 0x1-0x10 }</c> looks up this of the mark. Text does
/// not show it.
/// </summary>
/// <param name="Value">A number in host order.</param>
public sealed record NftNetworkOrder(NftExpression Value) : NftExpression;
