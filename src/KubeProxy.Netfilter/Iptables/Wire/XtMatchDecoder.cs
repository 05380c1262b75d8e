using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Reads matches from xt extensions. Anything that would not be written back the same is unknown.</summary>
internal static class XtMatchDecoder
{
    /// <param name="expression">The expression.</param>
    /// <param name="protocol">What the rule says of the protocol.</param>
    /// <param name="family">The family of the rule.</param>
    public static IptablesMatch Read(NftOpaque expression, ProtocolMatch? protocol, IpFamily family)
    {
        if (expression.Name != XtExtension.Match || !XtExtension.TryRead(expression, out var match)) return new UnknownMatch(expression);
        IptablesMatch? known = (match.Name, match.Revision, match.Info.Length) switch
        {
            ("comment", 0, XtLayout.CommentSize) => Comment(match.Info),
            ("tcp" or "udp", 0, XtLayout.PortsSize) when Is(protocol, match.Name) => AnyPort(match.Info),
            ("sctp", 0, XtLayout.SctpSize) when Is(protocol, match.Name) => Sctp(match.Info),
            ("addrtype", 1, XtLayout.AddressTypeSize) => AddressType(match.Info),
            ("conntrack", 3, XtLayout.ConntrackSize) => Conntrack(match.Info),
            ("statistic", 0, XtLayout.StatisticSize) => Statistic(match.Info),
            ("recent", 1, XtLayout.RecentSize) => Recent(match.Info, family),
            ("nfacct", 1, XtLayout.AccountingSize) => Accounting(match.Info),
            _ => null,
        };
        return known ?? new UnknownMatch(expression);
    }

    private static bool Is(ProtocolMatch? protocol, string name) => protocol is { Negated: false } && protocol.Protocol.ToLowerName() == name;

    private static CommentMatch? Comment(ReadOnlySpan<byte> info) => XtText.Read(info) is { } text ? new CommentMatch(text) : null;

    private static PortMatch? AnyPort(ReadOnlySpan<byte> info) =>
        Number(info) == 0 && Number(info[2..]) == ushort.MaxValue && Number(info[4..]) == 0 && Number(info[6..]) == ushort.MaxValue && IsZero(info[8..])
            ? PortMatch.Any : null;

    private static PortMatch? Sctp(ReadOnlySpan<byte> info)
    {
        var (flags, inverted) = (MemoryMarshal.Read<uint>(info[XtLayout.SctpFlags..]), MemoryMarshal.Read<uint>(info[(XtLayout.SctpFlags + 4)..]));
        if ((flags & ~(XtLayout.SctpSource | XtLayout.SctpDestination)) != 0 || (inverted & ~flags) != 0) return null;
        if (!IsZero(info[8..XtLayout.SctpFlagInfo])) return null;
        return new PortMatch(Ports(info[4..], XtLayout.SctpSource), Ports(info, XtLayout.SctpDestination));

        PortRange? Ports(ReadOnlySpan<byte> field, uint flag) =>
            (flags & flag) == 0 ? null : new PortRange(Number(field), Number(field[2..]), (inverted & flag) != 0);
    }

    private static AddressTypeMatch? AddressType(ReadOnlySpan<byte> info) =>
        IsZero(info[4..]) ? new AddressTypeMatch((AddressTypes)Number(info), (AddressTypes)Number(info[2..])) : null;

    private static ConntrackMatch? Conntrack(ReadOnlySpan<byte> info)
    {
        var flags = info[XtLayout.ConntrackFlags..];
        if (Number(flags) != XtLayout.ConntrackState || (Number(flags[2..]) & ~XtLayout.ConntrackState) != 0) return null;
        return new ConntrackMatch((ConntrackStates)Number(flags[4..]), Number(flags[2..]) != 0);
    }

    private static StatisticMatch? Statistic(ReadOnlySpan<byte> info) =>
        IsZero(info[..4]) ? new StatisticMatch(MemoryMarshal.Read<uint>(info[4..])) : null;

    private static RecentMatch? Recent(ReadOnlySpan<byte> info, IpFamily family)
    {
        var reap = (info[8] & XtLayout.RecentReap) != 0;
        var action = (RecentAction)(info[8] & ~XtLayout.RecentReap);
        if (action is not (RecentAction.Check or RecentAction.Set) || MemoryMarshal.Read<uint>(info[4..]) != 0 || info[9] != 0) return null;
        if (info[10 + XtLayout.RecentNameSize] != 0 || !IsWholeMask(info.Slice(XtLayout.RecentMask, 16), family)) return null;
        return XtText.Read(info.Slice(10, XtLayout.RecentNameSize)) is { } name
            ? new RecentMatch(name, action, MemoryMarshal.Read<uint>(info), reap) : null;
    }

    // The kernel looks at four bytes of an IPv4 mask; iptables-restore leaves the others zero.
    private static bool IsWholeMask(ReadOnlySpan<byte> mask, IpFamily family) => !mask.ContainsAnyExcept((byte)0xFF)
        || (family == IpFamily.IPv4 && !mask[..4].ContainsAnyExcept((byte)0xFF) && IsZero(mask[4..]));

    private static AccountingMatch? Accounting(ReadOnlySpan<byte> info) =>
        XtText.Read(info[..XtLayout.AccountingNameSize]) is { } name ? new AccountingMatch(name) : null;

    private static ushort Number(ReadOnlySpan<byte> field) => MemoryMarshal.Read<ushort>(field);

    private static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);
}
