using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Rtnetlink;

/// <summary>Reads links and addresses from messages.</summary>
internal static class RouteDecoder
{
    public const int AddressHeader = 8; // struct ifaddrmsg
    public const int LinkHeader = 16; // struct ifinfomsg
    private const int RuleHeader = 12; // struct fib_rule_hdr
    private const int RouteHeader = 12; // struct rtmsg

    /// <summary>What a notification says; null for one of another kind.</summary>
    /// <exception cref="NetlinkFormatException">The message is malformed.</exception>
    public static RouteChange? DecodeChange(NlMessage message) => (RtMessage)message.Header.Type switch
    {
        RtMessage.NewAddress when DecodeAddress(message) is { } address => new RouteChange.AddressSet(address),
        RtMessage.DeleteAddress when DecodeAddress(message) is { } address => new RouteChange.AddressRemoved(address),
        RtMessage.NewLink => new RouteChange.LinkSet(DecodeLink(message)),
        RtMessage.DeleteLink => new RouteChange.LinkRemoved(DecodeLink(message)),
        RtMessage.DeleteRule when FamilyOf(message.Fixed(RuleHeader)[0]) is { } family => new RouteChange.RuleRemoved(family),
        RtMessage.DeleteRoute when FamilyOf(message.Fixed(RouteHeader)[0]) is { } family => new RouteChange.RouteRemoved(family, TableOf(message)),
        _ => null,
    };

    // | family u8 | destination length u8 | source length u8 | tos u8 | table u8 | protocol u8 | scope u8 | type u8 | flags u32 | RTA_TABLE ...
    // The attribute is there for tables beyond 255, and for others with newer kernels.
    private static uint TableOf(NlMessage message) =>
        message.Attributes(RouteHeader).TryFind(RtaAttribute.Table, out var table) ? table.U32() : message.Fixed(RouteHeader)[4];

    private static IpFamily? FamilyOf(byte family) => family switch
    {
        RouteEncoder.AF_INET => IpFamily.IPv4,
        RouteEncoder.AF_INET6 => IpFamily.IPv6,
        _ => null,
    };

    // | family u8 | prefix length u8 | flags u8 | scope u8 | interface u32 | IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS ...
    // With a peer, IFA_LOCAL is the own address and IFA_ADDRESS the peer's; without, IFA_ADDRESS is the own one.
    /// <summary>The address; null for a message without one, or of another family.</summary>
    /// <exception cref="NetlinkFormatException">The message is malformed.</exception>
    public static InterfaceAddress? DecodeAddress(NlMessage message)
    {
        var header = message.Fixed(AddressHeader);
        var length = header[0] switch { RouteEncoder.AF_INET => 4, RouteEncoder.AF_INET6 => 16, _ => 0 };
        if (length == 0) return null;
        IpAddr? own = null, local = null;
        uint flags = header[2];
        foreach (var attribute in message.Attributes(AddressHeader))
        {
            switch (attribute.As<IfaAttribute>())
            {
                case IfaAttribute.Address: own = IpAddr.FromBytes(attribute.Exactly(length)); break;
                case IfaAttribute.Local: local = IpAddr.FromBytes(attribute.Exactly(length)); break;
                case IfaAttribute.Flags: flags = attribute.U32(); break;
            }
        }

        return (local ?? own) is not { } address ? null : new InterfaceAddress(
            MemoryMarshal.Read<int>(header[4..]), address, header[1], (AddressScope)header[3], (AddressFlags)flags);
    }

    // | family u8 | 0 u8 | hardware type u16 | index i32 | flags u32 | changed flags u32 | IFLA_IFNAME, IFLA_LINKINFO { kind } ...
    /// <exception cref="NetlinkFormatException">The message is malformed.</exception>
    public static NetworkLink DecodeLink(NlMessage message)
    {
        var header = message.Fixed(LinkHeader);
        var name = "";
        string? kind = null;
        foreach (var attribute in message.Attributes(LinkHeader))
        {
            switch (attribute.As<IflaAttribute>())
            {
                case IflaAttribute.Name:
                    name = attribute.Text();
                    break;
                case IflaAttribute.LinkInfo when attribute.Nested().TryFind(IflaInfoAttribute.Kind, out var found):
                    kind = found.Text();
                    break;
            }
        }

        return new NetworkLink(MemoryMarshal.Read<int>(header[4..]), name, kind, (LinkFlags)MemoryMarshal.Read<uint>(header[8..]));
    }
}
