using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Matches as xt extensions, with the revisions that iptables 1.8 uses. Sizes are those of the kernel's structs on 64 bits.</summary>
internal static class XtMatchEncoder
{
    // struct xt_comment_info: | comment char[256] |
    public static NftOpaque Comment(CommentMatch match)
    {
        Span<byte> info = stackalloc byte[XtLayout.CommentSize];
        info.Clear();
        XtText.Write(info, match.Text);
        return new XtExtension("comment", 0, info).ToExpression(XtExtension.Match);
    }

    /// <summary>Ports of tcp and udp only where there are none: iptables writes others as nf_tables expressions.</summary>
    // struct xt_tcp: | spts u16[2] | dpts u16[2] | option u8 | flg_mask u8 | flg_cmp u8 | invflags u8 | ; struct xt_udp: | spts | dpts | invflags u8 |
    public static NftOpaque AnyPort(Protocol protocol)
    {
        Span<byte> info = stackalloc byte[XtLayout.PortsSize];
        info.Clear();
        MemoryMarshal.Write(info[2..], ushort.MaxValue);
        MemoryMarshal.Write(info[6..], ushort.MaxValue);
        return new XtExtension(protocol.ToLowerName(), 0, info).ToExpression(XtExtension.Match);
    }

    // struct xt_sctp_info: | dpts u16[2] | spts u16[2] | chunkmap u32[64] | chunk_match_type u32 | flag_info { u8 x 3 }[4] | flag_count int | flags u32 | invflags u32 |
    public static NftOpaque Sctp(PortMatch match)
    {
        Span<byte> info = stackalloc byte[XtLayout.SctpSize];
        info.Clear();
        uint flags = 0, inverted = 0;
        WriteSctpPorts(info[4..], match.Source, XtLayout.SctpSource, ref flags, ref inverted);
        WriteSctpPorts(info, match.Destination, XtLayout.SctpDestination, ref flags, ref inverted);
        for (var i = 0; i < XtLayout.SctpChunkFlags; i++) info[XtLayout.SctpFlagInfo + (3 * i)] = 0xFF;
        MemoryMarshal.Write(info[XtLayout.SctpFlags..], flags);
        MemoryMarshal.Write(info[(XtLayout.SctpFlags + 4)..], inverted);
        return new XtExtension("sctp", 0, info).ToExpression(XtExtension.Match);
    }

    // struct xt_addrtype_info_v1: | source u16 | dest u16 | flags u32 |
    public static NftOpaque AddressType(AddressTypeMatch match)
    {
        Span<byte> info = stackalloc byte[XtLayout.AddressTypeSize];
        info.Clear();
        MemoryMarshal.Write(info, (ushort)match.Source);
        MemoryMarshal.Write(info[2..], (ushort)match.Destination);
        return new XtExtension("addrtype", 1, info).ToExpression(XtExtension.Match);
    }

    // struct xt_conntrack_mtinfo3: | 8 addresses and masks | expires u32[2] | l4proto, ports u16[5] | match_flags u16 | invert_flags u16 | state_mask u16 | status_mask u16 | ... |
    public static NftOpaque Conntrack(ConntrackMatch match)
    {
        Span<byte> info = stackalloc byte[XtLayout.ConntrackSize];
        info.Clear();
        MemoryMarshal.Write(info[XtLayout.ConntrackFlags..], XtLayout.ConntrackState);
        MemoryMarshal.Write(info[(XtLayout.ConntrackFlags + 2)..], match.Negated ? XtLayout.ConntrackState : (ushort)0);
        MemoryMarshal.Write(info[(XtLayout.ConntrackFlags + 4)..], (ushort)match.States);
        return new XtExtension("conntrack", 3, info).ToExpression(XtExtension.Match);
    }

    // struct xt_statistic_info: | mode u16 | flags u16 | probability u32 | ... | master pointer |
    public static NftOpaque Statistic(StatisticMatch match)
    {
        Span<byte> info = stackalloc byte[XtLayout.StatisticSize];
        info.Clear();
        MemoryMarshal.Write(info[4..], match.Threshold);
        return new XtExtension("statistic", 0, info).ToExpression(XtExtension.Match);
    }

    // struct xt_recent_mtinfo_v1: | seconds u32 | hit_count u32 | check_set u8 | invert u8 | name char[200] | side u8 | mask 16 bytes |
    public static NftOpaque Recent(RecentMatch match)
    {
        Span<byte> info = stackalloc byte[XtLayout.RecentSize];
        info.Clear();
        MemoryMarshal.Write(info, match.Seconds);
        info[8] = (byte)((byte)match.Action | (match.Reap ? XtLayout.RecentReap : 0));
        XtText.Write(info.Slice(10, XtLayout.RecentNameSize), match.Name);
        info.Slice(XtLayout.RecentMask, 16).Fill(0xFF);
        return new XtExtension("recent", 1, info).ToExpression(XtExtension.Match);
    }

    // struct xt_nfacct_match_info_v1: | name char[32] | pointer |
    public static NftOpaque Accounting(AccountingMatch match)
    {
        Span<byte> info = stackalloc byte[XtLayout.AccountingSize];
        info.Clear();
        XtText.Write(info[..XtLayout.AccountingNameSize], match.Name);
        return new XtExtension("nfacct", 1, info).ToExpression(XtExtension.Match);
    }

    private static void WriteSctpPorts(Span<byte> field, PortRange? ports, uint flag, ref uint flags, ref uint inverted)
    {
        if (ports is null) return;
        MemoryMarshal.Write(field, ports.First);
        MemoryMarshal.Write(field[2..], ports.Last);
        flags |= flag;
        if (ports.Negated) inverted |= flag;
    }
}
