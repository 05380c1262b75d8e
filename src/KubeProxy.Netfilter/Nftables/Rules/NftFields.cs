namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>Where a field stands in the packet and what nft calls it.</summary>
/// <param name="Field">The field.</param>
/// <param name="Text">nft's name.</param>
/// <param name="Base">The header (<c>enum nft_payload_bases</c>).</param>
/// <param name="Offset">Bytes from the beginning of the header.</param>
/// <param name="Type">The type of its value.</param>
/// <param name="Family">The family that the field belongs to; null for any.</param>
/// <param name="TypeofHeader">nft's number of the header (<c>PROTO_DESC_*</c>) in typeof user data.</param>
/// <param name="TypeofField">nft's number of the field in that header.</param>
internal sealed record NftFieldLayout(
    NftField Field, string Text, uint Base, uint Offset, NftDataType Type, NftFamily? Family, uint TypeofHeader, uint TypeofField)
{
    public int Length => Type.ByteLength();
}

/// <summary>The fields that this library knows.</summary>
internal static class NftFields
{
    public const uint NetworkHeader = 1; // NFT_PAYLOAD_NETWORK_HEADER
    public const uint TransportHeader = 2; // NFT_PAYLOAD_TRANSPORT_HEADER

    // nft's enum proto_desc_id: the numbers are kept in the kernel by every nft, so they are stable.
    private const uint Th = 11;
    private const uint Ip = 12;
    private const uint Ip6 = 13;

    private static readonly NftFieldLayout[] Layouts =
    [
        new(NftField.IpSaddr, "ip saddr", NetworkHeader, 12, NftDataType.Ipv4Addr, NftFamily.Ip, Ip, 11),
        new(NftField.IpDaddr, "ip daddr", NetworkHeader, 16, NftDataType.Ipv4Addr, NftFamily.Ip, Ip, 12),
        new(NftField.Ip6Saddr, "ip6 saddr", NetworkHeader, 8, NftDataType.Ipv6Addr, NftFamily.Ip6, Ip6, 8),
        new(NftField.Ip6Daddr, "ip6 daddr", NetworkHeader, 24, NftDataType.Ipv6Addr, NftFamily.Ip6, Ip6, 9),
        new(NftField.ThSport, "th sport", TransportHeader, 0, NftDataType.InetService, null, Th, 1),
        new(NftField.ThDport, "th dport", TransportHeader, 2, NftDataType.InetService, null, Th, 2),
        new(NftField.IpProtocol, "ip protocol", NetworkHeader, 9, NftDataType.InetProto, NftFamily.Ip, Ip, 9),
        new(NftField.Ip6Nexthdr, "ip6 nexthdr", NetworkHeader, 6, NftDataType.InetProto, NftFamily.Ip6, Ip6, 6),
    ];

    public static NftFieldLayout Layout(NftField field) => Array.Find(Layouts, layout => layout.Field == field)
        ?? throw new ArgumentOutOfRangeException(nameof(field), field, "Not a field that this library knows.");

    /// <summary>The field that begins there; several share an offset, so the family of the table decides.</summary>
    public static NftFieldLayout? Find(uint @base, uint offset, int length, NftFamily? family)
    {
        foreach (var layout in Layouts)
            if (layout.Base == @base && layout.Offset == offset && length <= layout.Length
                && (layout.Family is null || layout.Family == family))
                return layout;
        return null;
    }

    /// <summary>The key (<c>enum nft_ct_keys</c>) by which a connection's address is loaded.</summary>
    public static uint CtKeyOf(NftField address) => address switch
    {
        NftField.IpSaddr => 19, // NFT_CT_SRC_IP
        NftField.IpDaddr => 20, // NFT_CT_DST_IP
        NftField.Ip6Saddr => 21, // NFT_CT_SRC_IP6
        NftField.Ip6Daddr => 22, // NFT_CT_DST_IP6
        _ => throw new ArgumentOutOfRangeException(nameof(address), address, "Not an address."),
    };

    /// <summary>The address that such a key loads; null for other keys.</summary>
    public static NftField? FindCtAddress(uint key) => key switch
    {
        19 => NftField.IpSaddr,
        20 => NftField.IpDaddr,
        21 => NftField.Ip6Saddr,
        22 => NftField.Ip6Daddr,
        _ => null,
    };

    public static NftFieldLayout? Find(uint typeofHeader, uint typeofField) =>
        Array.Find(Layouts, layout => layout.TypeofHeader == typeofHeader && layout.TypeofField == typeofField);
}
