using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>Finds what is wrong with an address translation.</summary>
internal static class NftNatCheck
{
    public static string? Problem(NftFamily table, NftNat nat)
    {
        if (nat.Kind is NftNatKind.Masquerade or NftNatKind.Redirect && (nat.Family is not null || nat.Address is not null)) return "it chooses the address itself";
        if (nat.Kind is NftNatKind.Snat or NftNatKind.Dnat)
        {
            if (nat.Family is not (NftFamily.Ip or NftFamily.Ip6) && (nat.Family is not null || nat.Address is not null)) return "the family is Ip or Ip6; only ports alone have none";
            if (table is NftFamily.Ip or NftFamily.Ip6 && nat.Family is not null && table != nat.Family) return "the address is not of the table's family";
            if (nat.Address is null && nat.Port is null) return "neither an address nor a port";
        }

        var isMap = nat.Address is NftMapLookup or NftAnonymousMapLookup;
        if (isMap && (nat.AddressTo is not null || nat.Port is not null)) return "what else a map yields is said by its parts";
        if (!isMap && nat.MapParts != NftNatMapParts.None) return "only a map has parts";
        if (nat.AddressTo is not null && nat.Address is null) return "a last address without a first";
        if (nat.PortTo is not null && nat.Port is null) return "a last port without a first";
        return Address(nat) ?? Port(nat.Port) ?? Port(nat.PortTo);
    }

    private static string? Address(NftNat nat)
    {
        var type = nat.Family == NftFamily.Ip6 ? NftDataType.Ipv6Addr : NftDataType.Ipv4Addr;
        if (nat.Address is NftConstant constant && constant.Type != type) return $"the target is not of type {type.NftName()}";
        if (nat.AddressTo is NftConstant last && last.Type != type) return $"the target is not of type {type.NftName()}";
        if (nat.Address is not NftAnonymousMapLookup { DataType.IsInterval: false } map) return null;
        var expected = nat.MapParts.HasFlag(NftNatMapParts.Port) ? new NftTypes(type, NftDataType.InetService) : new NftTypes(type);
        return map.DataType.Equals(expected) ? null : $"the map's data must be {expected}";
    }

    private static string? Port(NftExpression? port) => port switch
    {
        NftConstant { Type: not NftDataType.InetService } => "the target is a port, or a map of ports",
        NftAnonymousMapLookup map when map.DataType.Parts is not [NftDataType.InetService] => "the target is a port, or a map of ports",
        _ => null,
    };
}
