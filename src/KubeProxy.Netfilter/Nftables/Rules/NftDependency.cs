using System.Buffers.Binary;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>
/// In tables that packets of several families come to, fields of one family are only looked at after a comparison of the family:
/// <c>meta nfproto</c> in inet tables, <c>meta protocol</c> in bridge and netdev tables, as nft does it.
/// </summary>
internal static class NftDependency
{
    /// <summary>The comparison that lets only packets of a family through.</summary>
    public static NftMatch Of(NftFamily table, NftFamily needed)
    {
        if (table == NftFamily.Inet)
            return new NftMatch(new NftMeta(NftMetaKey.Nfproto), NftOperator.Equal, new NftConstant(NftDataType.NfProto, NftValue.Family(needed)));
        return new NftMatch(new NftMeta(NftMetaKey.Protocol), NftOperator.Equal, new NftConstant(NftDataType.EtherType, NftValue.Port(NftHeaders.EtherTypeOf(needed)!.Value)));
    }

    /// <summary>The family that a statement lets through, when it is such a comparison; null otherwise.</summary>
    public static NftFamily? Family(NftFamily table, NftStatement statement)
    {
        if (statement is not NftMatch { Operator: NftOperator.Equal, Left: NftMeta { Key: var key } } match || !NftPacketContext.IsMixed(table)) return null;
        var value = match.Right.Value.Span;
        return (key, table) switch
        {
            (NftMetaKey.Nfproto, NftFamily.Inet) when value is [(byte)NftFamily.Ip or (byte)NftFamily.Ip6] => (NftFamily)value[0],
            (NftMetaKey.Protocol, not NftFamily.Inet) when value.Length == 2 => NftHeaders.FamilyOf(BinaryPrimitives.ReadUInt16BigEndian(value)),
            _ => null,
        };
    }
}
