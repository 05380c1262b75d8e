using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Rtnetlink;

/// <summary>Writes requests about links and addresses.</summary>
internal static class RouteEncoder
{
    public const byte AF_INET = 2;
    public const byte AF_INET6 = 10;

    private const int RouteHeader = 12; // both of struct rtmsg and struct fib_rule_hdr

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

    // fib_rule_hdr, FRA_PRIORITY, FRA_FWMARK, FRA_FWMASK, FRA_TABLE
    public static void PutRule(NlMsgWriter writer, RtMessage message, NlMsgFlags flags, PolicyRule rule)
    {
        const byte ToTable = 1; // FR_ACT_TO_TBL
        writer.BeginMessage((ushort)message, flags);
        var header = writer.ReserveBody(RouteHeader);
        header[0] = Family(rule.Family);
        header[7] = ToTable;
        writer.PutU32(FraAttribute.Priority, rule.Priority);
        if (rule.Mask != 0)
        {
            writer.PutU32(FraAttribute.FwMark, rule.Mark);
            writer.PutU32(FraAttribute.FwMask, rule.Mask);
        }

        writer.PutU32(FraAttribute.Table, rule.Table);
    }

    // rtmsg, RTA_TABLE, RTA_OIF
    public static void PutLocalDefault(NlMsgWriter writer, RtMessage message, NlMsgFlags flags, IpFamily family, uint table)
    {
        const byte StaticProtocol = 4; // RTPROT_STATIC
        const byte Local = 2; // RTN_LOCAL
        const uint Loopback = 1; // LOOPBACK_IFINDEX
        writer.BeginMessage((ushort)message, flags);
        var header = writer.ReserveBody(RouteHeader);
        header[0] = Family(family);
        header[5] = StaticProtocol;
        header[6] = (byte)AddressScope.Host;
        header[7] = Local;
        writer.PutU32(RtaAttribute.Table, table);
        writer.PutU32(RtaAttribute.OutputInterface, Loopback);
    }

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
