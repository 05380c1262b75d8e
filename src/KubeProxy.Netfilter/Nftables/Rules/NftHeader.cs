namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>From where on a field of the packet is counted (<c>enum nft_payload_bases</c>).</summary>
public enum NftPayloadBase : uint
{
    /// <summary><c>@ll</c>: the link layer header.</summary>
    Link = 0, // NFT_PAYLOAD_LL_HEADER

    /// <summary><c>@nh</c>: the network header.</summary>
    Network = 1, // NFT_PAYLOAD_NETWORK_HEADER

    /// <summary><c>@th</c>: the transport header.</summary>
    Transport = 2, // NFT_PAYLOAD_TRANSPORT_HEADER

    /// <summary><c>@ih</c>: what the transport carries.</summary>
    Inner = 3, // NFT_PAYLOAD_INNER_HEADER
}

/// <summary>A protocol header, and its fields in the order in which nft numbers them.</summary>
internal sealed class NftHeader
{
    /// <param name="name">nft's name.</param>
    /// <param name="base">Where it begins.</param>
    /// <param name="typeofId">nft's number of it in typeof user data (its <c>PROTO_DESC_*</c>): every nft keeps it in the kernel, so it is stable.</param>
    /// <param name="selector">The number that announces it: an EtherType for network headers, a protocol for transport headers; null for none.</param>
    /// <param name="fields">The fields.</param>
    public NftHeader(string name, NftPayloadBase @base, uint typeofId, ushort? selector, params NftField[] fields)
    {
        (Name, Base, TypeofId, Selector, Fields) = (name, @base, typeofId, selector, fields);
        foreach (var field in fields) field.Owner = this;
    }

    public string Name { get; }

    public NftPayloadBase Base { get; }

    public uint TypeofId { get; }

    public ushort? Selector { get; }

    public NftField[] Fields { get; }

    /// <summary>The family that packets with this header have; null for any.</summary>
    public NftFamily? Family => Base == NftPayloadBase.Network ? NftHeaders.FamilyOf(Selector) : null;
}
