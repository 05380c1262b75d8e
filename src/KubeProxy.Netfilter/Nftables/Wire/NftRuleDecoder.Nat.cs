using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Address translation.</summary>
internal sealed partial class NftRuleDecoder
{
    private NftNat? Nat(NlAttributes attributes)
    {
        if (Number(attributes, NatAttribute.Type) is not ((SourceNat or DestinationNat) and var type)) return null;
        if (Number(attributes, NatAttribute.Family) is not (((uint)NftFamily.Ip or (uint)NftFamily.Ip6 or (uint)NftFamily.Inet) and var of)) return null;
        var nat = new NftNat(type == SourceNat ? NftNatKind.Snat : NftNatKind.Dnat, of == (uint)NftFamily.Inet ? null : (NftFamily)of) { Flags = Flags(Number(attributes, NatAttribute.Flags)) };
        var format = NftFormat.Of(of == (uint)NftFamily.Ip6 ? NftDataType.Ipv6Addr : NftDataType.Ipv4Addr);
        var (address, addressTo) = (Number(attributes, NatAttribute.AddressMin), Number(attributes, NatAttribute.AddressMax));
        if (address is null) return addressTo is null ? WithPorts(nat, attributes, NatAttribute.ProtoMin, NatAttribute.ProtoMax) : null;
        if (Value(address, format) is not { } first) return null;
        nat = nat with { Address = first };
        if (IsMap(first)) return MapNat(nat, attributes, format, address.Value);
        if (addressTo is not null && addressTo != address)
        {
            if (Value(addressTo, format) is not { } last) return null;
            nat = nat with { AddressTo = last };
        }

        return WithPorts(nat, attributes, NatAttribute.ProtoMin, NatAttribute.ProtoMax);
    }

    /// <summary>The parts of what a map yields stand side by side.</summary>
    private static NftNat? MapNat(NftNat nat, NlAttributes attributes, NftFormat format, uint address)
    {
        var slot = NftRegister.Slot(address)!.Value + NftRegister.SlotsOf(format.Bytes);
        var parts = NftNatMapParts.None;
        foreach (var (attribute, before, part) in MapParts)
        {
            if (Number(attributes, attribute) is not { } register || register == Number(attributes, before)) continue;
            if (NftRegister.Slot(register) != slot) return null;
            parts |= part;
            slot += part == NftNatMapParts.AddressTo ? NftRegister.SlotsOf(format.Bytes) : 1;
        }

        return nat with { MapParts = parts };
    }

    private static readonly (NatAttribute Attribute, NatAttribute Before, NftNatMapParts Part)[] MapParts =
    [
        (NatAttribute.ProtoMin, NatAttribute.Type, NftNatMapParts.Port), (NatAttribute.AddressMax, NatAttribute.AddressMin, NftNatMapParts.AddressTo),
        (NatAttribute.ProtoMax, NatAttribute.ProtoMin, NftNatMapParts.PortTo),
    ];

    private NftNat? Masquerade(NlAttributes attributes) => WithPorts(
        new NftNat(NftNatKind.Masquerade) { Flags = Flags(Number(attributes, MasqueradeAttribute.Flags)) }, attributes, MasqueradeAttribute.ProtoMin, MasqueradeAttribute.ProtoMax);

    private NftNat? Redirect(NlAttributes attributes) => WithPorts(
        new NftNat(NftNatKind.Redirect) { Flags = Flags(Number(attributes, RedirectAttribute.Flags)) }, attributes, RedirectAttribute.ProtoMin, RedirectAttribute.ProtoMax);

    private NftNat? WithPorts<TAttribute>(NftNat nat, NlAttributes attributes, TAttribute from, TAttribute to) where TAttribute : unmanaged, Enum
    {
        if (Number(attributes, from) is not { } port) return nat;
        var format = NftFormat.Of(NftDataType.InetService);
        if (Value(port, format) is not { } first) return null;
        nat = nat with { Port = first };
        if (Number(attributes, to) is not { } last || last == port) return nat;
        return Value(last, format) is { } portTo ? nat with { PortTo = portTo } : null;
    }

    private static bool IsMap(NftExpression expression) => expression is NftMapLookup or NftAnonymousMapLookup;

    /// <summary>What follows from addresses and ports is not kept.</summary>
    private static NftNatFlags Flags(uint? flags) => (NftNatFlags)((flags ?? 0) & ~(RangeAddresses | RangeProto));
}
