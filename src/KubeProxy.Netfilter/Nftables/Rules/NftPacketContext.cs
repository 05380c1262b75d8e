using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>
/// What is known of the packets that reach a place in a rule: by the table's family, and by the comparisons before. It decides which
/// field some bytes of the packet are, so decoder, encoder, text and check share it.
/// </summary>
internal sealed class NftPacketContext
{
    private const ushort Ethernet = 1; // ARPHRD_ETHER

    private readonly NftFamily _table;
    private bool _isEthernet;
    private bool _isTagged;
    private ushort? _protocol;
    private int? _icmpType;

    public NftPacketContext(NftFamily table)
    {
        _table = table;
        Reset();
    }

    /// <summary>The family of the packets; null when they can be of several.</summary>
    public NftFamily? Family { get; private set; }

    /// <summary>Whether packets of several families come to the table, so that fields of one need a comparison of the family before.</summary>
    public static bool IsMixed(NftFamily table) => table is NftFamily.Inet or NftFamily.Bridge or NftFamily.Netdev;

    public void Reset()
    {
        Family = IsMixed(_table) ? null : _table;
        (_isEthernet, _isTagged, _protocol, _icmpType) = (_table == NftFamily.Bridge, false, null, null);
    }

    /// <summary>The field that takes up exactly these bits; null when nothing is known of them.</summary>
    public NftField? Find(NftPayloadBase @base, int bitOffset, int bitLength)
    {
        if (HeaderAt(@base, bitOffset) is not { } header) return null;
        var start = NftHeaders.Start(header) * 8;
        foreach (var field in header.Fields)
        {
            if (field.BitOffset + start == bitOffset && field.BitLength == bitLength && IsThere(field)) return field;
        }

        return null;
    }

    /// <summary>The field that begins there, whatever its length; null when nothing is known.</summary>
    public NftField? FindBeginning(NftPayloadBase @base, int bitOffset)
    {
        if (HeaderAt(@base, bitOffset) is not { } header) return null;
        var start = NftHeaders.Start(header) * 8;
        return Array.Find(header.Fields, field => field.BitOffset + start == bitOffset && IsThere(field));
    }

    /// <summary>The header that begins there.</summary>
    public NftHeader? FindHeader(NftPayloadBase @base) => HeaderAt(@base, 0);

    /// <summary>The more exact name that a port has where the transport is known; null where that has no such field.</summary>
    public NftField? Resolve(NftField field) =>
        field.Owner == NftHeaders.Th ? Find(NftPayloadBase.Transport, field.BitOffset, field.BitLength) : field;

    /// <summary>Learns from a statement that the packets after it passed.</summary>
    public void See(NftStatement statement)
    {
        if (statement is NftAnonymousSetMatch { Negated: false, Key: NftPayload payload } set && IsIcmpType(payload.Field) && _icmpType is null
            && set.Elements is { IsInterval: false, Items: [{ Key.Length: 1 } first, ..] })
        {
            _icmpType = first.Key.Span[0];
            return;
        }

        if (statement is not NftMatch { Operator: NftOperator.Equal } match) return;
        var value = match.Right.Value.Span;
        switch (match.Left)
        {
            case NftMeta { Key: NftMetaKey.Nfproto } or NftCt { Key: NftCtKey.L3protocol } when value.Length == 1: Family = (NftFamily)value[0]; break;
            case NftMeta { Key: NftMetaKey.Protocol } when value.Length == 2 && _table is NftFamily.Netdev or NftFamily.Bridge: SeeType(BinaryPrimitives.ReadUInt16BigEndian(value)); break;
            case NftMeta { Key: NftMetaKey.L4proto } or NftCt { Key: NftCtKey.Protocol } when value.Length == 1: _protocol = value[0]; break;
            case NftMeta { Key: NftMetaKey.Iiftype } when value.Length == 2: _isEthernet = MemoryMarshal.Read<ushort>(value) == Ethernet; break;
            case NftPayload { Field: var field } when field == NftField.IpProtocol || field == NftField.Ip6Nexthdr: _protocol = value[0]; break;
            case NftPayload { Field: { Type: NftDataType.EtherType, Base: NftPayloadBase.Link } } when value.Length == 2: SeeType(BinaryPrimitives.ReadUInt16BigEndian(value)); break;
            case NftPayload { Field: var field } when IsIcmpType(field): _icmpType ??= value[0]; break;
        }
    }

    private static bool IsIcmpType(NftField field) => field == NftField.IcmpTypeField || field == NftField.Icmpv6TypeField;

    private void SeeType(ushort etherType)
    {
        if (etherType is NftHeaders.EtherTypeVlan or 0x88A8) _isTagged = true;
        else Family = NftHeaders.FamilyOf(etherType);
    }

    private bool IsThere(NftField field) => field.IcmpType is not { } type || _icmpType is null or 0 || type == (_icmpType == 129 ? 128 : _icmpType);

    private NftHeader? HeaderAt(NftPayloadBase @base, int bitOffset) => @base switch
    {
        NftPayloadBase.Link when _isTagged && bitOffset >= NftHeaders.Start(NftHeaders.Vlan) * 8 => NftHeaders.Vlan,
        NftPayloadBase.Link when _isEthernet => NftHeaders.Ether,
        NftPayloadBase.Network when NftHeaders.EtherTypeOf(Family) is { } type => NftHeaders.Find(@base, type),
        NftPayloadBase.Transport when _protocol is { } protocol => NftHeaders.Find(@base, protocol),
        NftPayloadBase.Transport => NftHeaders.Th,
        _ => null,
    };
}
