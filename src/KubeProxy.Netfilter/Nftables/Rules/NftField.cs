using System.Collections.Immutable;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>
/// A named field of a protocol header, such as <c>tcp dport</c> or <c>ip dscp</c>. There is one object for each; those that most
/// rules use are properties, all are found by <see cref="Find"/>.
/// </summary>
public sealed class NftField
{
    internal NftField(string name, int bitOffset, int bitLength, NftDataType type = NftDataType.Integer, int? icmpType = null) =>
        (Name, BitOffset, BitLength, Type, IcmpType) = (name, bitOffset, bitLength, type, icmpType);

    /// <summary><c>ip saddr</c>.</summary>
    public static NftField IpSaddr => Common.IpSaddr;

    /// <summary><c>ip daddr</c>.</summary>
    public static NftField IpDaddr => Common.IpDaddr;

    /// <summary><c>ip6 saddr</c>.</summary>
    public static NftField Ip6Saddr => Common.Ip6Saddr;

    /// <summary><c>ip6 daddr</c>.</summary>
    public static NftField Ip6Daddr => Common.Ip6Daddr;

    /// <summary><c>th sport</c>: the source port, whatever the transport.</summary>
    public static NftField ThSport => Common.ThSport;

    /// <summary><c>th dport</c>: the destination port, whatever the transport.</summary>
    public static NftField ThDport => Common.ThDport;

    /// <summary><c>tcp sport</c>.</summary>
    public static NftField TcpSport => Common.TcpSport;

    /// <summary><c>tcp dport</c>.</summary>
    public static NftField TcpDport => Common.TcpDport;

    /// <summary><c>tcp flags</c>.</summary>
    public static NftField TcpFlags => Common.TcpFlags;

    /// <summary><c>udp sport</c>.</summary>
    public static NftField UdpSport => Common.UdpSport;

    /// <summary><c>udp dport</c>.</summary>
    public static NftField UdpDport => Common.UdpDport;

    /// <summary><c>icmp type</c>.</summary>
    public static NftField IcmpTypeField => Common.IcmpTypeField;

    /// <summary><c>icmpv6 type</c>.</summary>
    public static NftField Icmpv6TypeField => Common.Icmpv6TypeField;

    /// <summary><c>ip protocol</c>.</summary>
    public static NftField IpProtocol => Common.IpProtocol;

    /// <summary><c>ip6 nexthdr</c>.</summary>
    public static NftField Ip6Nexthdr => Common.Ip6Nexthdr;

    /// <summary><c>ether type</c>.</summary>
    public static NftField EtherType => Common.EtherType;

    /// <summary>All fields that this library knows.</summary>
    public static ImmutableArray<NftField> All => [.. NftHeaders.Fields];

    /// <summary>The name within the header, for example <c>dport</c>.</summary>
    public string Name { get; }

    /// <summary>The type of the value. It is right-aligned, in network order, in as many bytes as <see cref="BitLength"/> needs.</summary>
    public NftDataType Type { get; }

    /// <summary>Where it begins, in bits from the beginning of the header.</summary>
    public int BitOffset { get; }

    /// <summary>How long it is, in bits.</summary>
    public int BitLength { get; }

    /// <summary>The name of the header, for example <c>tcp</c>.</summary>
    public string Header => Owner.Name;

    /// <summary>From where on the header is counted.</summary>
    public NftPayloadBase Base => Owner.Base;

    /// <summary>The ICMP type of the only messages that have the field; null when all have it.</summary>
    internal int? IcmpType { get; }

    internal NftHeader Owner { get; set; } = null!;

    internal NftFormat Format => new(Type, BitLength, NftByteOrder.Big);

    /// <summary>The bytes that hold it: where they begin, from <see cref="Base"/> on.</summary>
    internal int ByteOffset => (BitOffset / 8) + NftHeaders.Start(Owner);

    /// <summary>How many bytes hold it.</summary>
    internal int ByteLength => ((BitOffset + BitLength + 7) / 8) - (BitOffset / 8);

    /// <summary>How many bits of those bytes are below it.</summary>
    internal int Shift => (ByteLength * 8) - (BitOffset % 8) - BitLength;

    /// <summary>Whether there is more in those bytes than the field.</summary>
    internal bool IsPart => BitLength != ByteLength * 8;

    /// <summary>The field with that name of nft's, for example <c>ip6 hoplimit</c>; null when there is none.</summary>
    public static NftField? Find(string text) => Array.Find(NftHeaders.Fields, field => field.ToString() == text);

    /// <summary>As nft writes it, for example <c>tcp dport</c>.</summary>
    public override string ToString() => $"{Header} {Name}";

    /// <summary>In a class of their own, because the headers have to be there before.</summary>
    private static class Common
    {
        public static readonly NftField IpSaddr = NftHeaders.Get("ip saddr");
        public static readonly NftField IpDaddr = NftHeaders.Get("ip daddr");
        public static readonly NftField Ip6Saddr = NftHeaders.Get("ip6 saddr");
        public static readonly NftField Ip6Daddr = NftHeaders.Get("ip6 daddr");
        public static readonly NftField ThSport = NftHeaders.Get("th sport");
        public static readonly NftField ThDport = NftHeaders.Get("th dport");
        public static readonly NftField TcpSport = NftHeaders.Get("tcp sport");
        public static readonly NftField TcpDport = NftHeaders.Get("tcp dport");
        public static readonly NftField TcpFlags = NftHeaders.Get("tcp flags");
        public static readonly NftField UdpSport = NftHeaders.Get("udp sport");
        public static readonly NftField UdpDport = NftHeaders.Get("udp dport");
        public static readonly NftField IcmpTypeField = NftHeaders.Get("icmp type");
        public static readonly NftField Icmpv6TypeField = NftHeaders.Get("icmpv6 type");
        public static readonly NftField IpProtocol = NftHeaders.Get("ip protocol");
        public static readonly NftField Ip6Nexthdr = NftHeaders.Get("ip6 nexthdr");
        public static readonly NftField EtherType = NftHeaders.Get("ether type");
    }
}
