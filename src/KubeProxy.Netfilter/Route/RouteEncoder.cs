using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Route;

/// <summary>Writes requests about links and addresses.</summary>
internal static class RouteEncoder
{
    public const byte AF_INET = 2;
    public const byte AF_INET6 = 10;

    public static void PutListAddresses(NlMsgWriter writer, IpFamily? family)
    {
        writer.BeginMessage((ushort)RtMessage.GetAddress, NlMsgFlags.None);
        writer.ReserveBody(RouteDecoder.AddressHeader)[0] = family is { } wanted ? Family(wanted) : (byte)0;
    }

    public static void PutListLinks(NlMsgWriter writer)
    {
        const uint SkipStatistics = 1 << 3; // RTEXT_FILTER_SKIP_STATS
        PutLinkHeader(writer, RtMessage.GetLink, NlMsgFlags.None);
        writer.PutU32(IflaAttribute.ExtensionMask, SkipStatistics);
    }

    // ifaddrmsg, IFA_LOCAL and IFA_ADDRESS (both the own address, as without a peer), IFA_FLAGS
    public static void PutAddress(NlMsgWriter writer, RtMessage message, NlMsgFlags flags, InterfaceAddress address)
    {
        writer.BeginMessage((ushort)message, flags);
        var header = writer.ReserveBody(RouteDecoder.AddressHeader);
        header[0] = Family(address.Address.Family);
        header[1] = checked((byte)address.PrefixLength);
        header[3] = (byte)address.Scope;
        MemoryMarshal.Write(header[4..], address.InterfaceIndex);
        address.Address.WriteBytes(writer.ReserveBytes(IfaAttribute.Local, address.Address.Length));
        address.Address.WriteBytes(writer.ReserveBytes(IfaAttribute.Address, address.Address.Length));
        if (address.Flags != AddressFlags.None) writer.PutU32(IfaAttribute.Flags, (uint)address.Flags);
    }

    // ifinfomsg, IFLA_IFNAME, IFLA_LINKINFO { IFLA_INFO_KIND }
    public static void PutNewLink(NlMsgWriter writer, string name, string kind)
    {
        PutLinkHeader(writer, RtMessage.NewLink, NlMsgFlags.Create | NlMsgFlags.Exclusive);
        writer.PutString(IflaAttribute.Name, name);
        using (writer.BeginNested(IflaAttribute.LinkInfo)) writer.PutString(IflaInfoAttribute.Kind, kind);
    }

    public static void PutLinkUp(NlMsgWriter writer, int index, bool up) =>
        PutLinkHeader(writer, RtMessage.NewLink, NlMsgFlags.None, index, up ? LinkFlags.Up : LinkFlags.None, LinkFlags.Up);

    public static void PutDeleteLink(NlMsgWriter writer, int index) =>
        PutLinkHeader(writer, RtMessage.DeleteLink, NlMsgFlags.None, index);

    private static void PutLinkHeader(
        NlMsgWriter writer, RtMessage message, NlMsgFlags messageFlags, int index = 0, LinkFlags flags = 0, LinkFlags changed = 0)
    {
        writer.BeginMessage((ushort)message, messageFlags);
        var header = writer.ReserveBody(RouteDecoder.LinkHeader);
        MemoryMarshal.Write(header[4..], index);
        MemoryMarshal.Write(header[8..], (uint)flags);
        MemoryMarshal.Write(header[12..], (uint)changed);
    }

    private static byte Family(IpFamily family) => family == IpFamily.IPv4 ? AF_INET : AF_INET6;
}
