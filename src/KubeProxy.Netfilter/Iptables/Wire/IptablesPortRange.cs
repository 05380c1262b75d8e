using System.Buffers.Binary;
using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>
/// A range of ports as iptables-nft writes it: a load of the port and an expression <c>range</c> (linux/netfilter/nf_tables.h). nft has two comparisons
/// for the same, which iptables does not read, so that these stand here as bytes.
/// </summary>
internal static class IptablesPortRange
{
    private const int OffsetAt = 23;
    private const int FirstAt = 24;
    private const int LastAt = 36;

    // | NFTA_PAYLOAD_DREG 1 | _BASE NFT_PAYLOAD_TRANSPORT_HEADER | _OFFSET | _LEN 2 |, numbers in network order.
    private static readonly ImmutableArray<byte> Load =
        [8, 0, 1, 0, 0, 0, 0, 1, 8, 0, 2, 0, 0, 0, 0, 2, 8, 0, 3, 0, 0, 0, 0, 0, 8, 0, 4, 0, 0, 0, 0, 2];

    // | NFTA_RANGE_SREG 1 | _OP NFT_RANGE_EQ | _FROM_DATA { NFTA_DATA_VALUE } | _TO_DATA { NFTA_DATA_VALUE } |
    private static readonly ImmutableArray<byte> Range =
        [8, 0, 1, 0, 0, 0, 0, 1, 8, 0, 2, 0, 0, 0, 0, 0, 12, 0, 3, 0, 6, 0, 1, 0, 0, 0, 0, 0, 12, 0, 4, 0, 6, 0, 1, 0, 0, 0, 0, 0];

    /// <summary>The two expressions.</summary>
    public static IEnumerable<NftOpaque> Write(bool isSource, PortRange ports)
    {
        var load = Load.ToArray();
        load[OffsetAt] = isSource ? (byte)0 : (byte)2;
        var range = Range.ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(range.AsSpan(FirstAt), ports.First);
        BinaryPrimitives.WriteUInt16BigEndian(range.AsSpan(LastAt), ports.Last);
        return [new NftOpaque("payload") { Attributes = [.. load] }, new NftOpaque("range") { Attributes = [.. range] }];
    }

    /// <summary>What two expressions in a row say; null when they are others, or not as iptables writes them.</summary>
    public static (bool IsSource, PortRange Ports)? Read(NftOpaque load, NftOpaque range)
    {
        if (load.Name != "payload" || range.Name != "range" || load.Attributes.Length != Load.Length || range.Attributes.Length != Range.Length) return null;
        var bytes = range.Attributes.AsSpan();
        var isSource = load.Attributes[OffsetAt] == 0;
        var ports = new PortRange(BinaryPrimitives.ReadUInt16BigEndian(bytes[FirstAt..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[LastAt..]));
        return Write(isSource, ports).SequenceEqual([load, range]) ? (isSource, ports) : null;
    }
}
