using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m icmp</c> and <c>-m icmp6</c>: the type and code of ICMP messages (RFC 792, RFC 4443).</summary>
/// <param name="Type">The type; in IPv4 255 for any.</param>
/// <param name="FirstCode">The lowest code.</param>
/// <param name="LastCode">The highest code.</param>
/// <param name="Negated">Not these.</param>
public sealed record IcmpMatch(byte Type, byte FirstCode = 0, byte LastCode = byte.MaxValue, bool Negated = false) : IptablesMatch
{
    private const byte AnyType = 0xFF;

    // struct ipt_icmp (ip_tables.h), struct ip6t_icmp (ip6_tables.h): | type u8 | code u8[2] | invflags u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, IcmpMatch>("icmp", 0, 8, Read, Write, Print) { Family = IpFamily.IPv4 };

    internal static XtCodec<IptablesMatch> CodecV6 { get; } = new XtCodec<IptablesMatch, IcmpMatch>("icmp6", 0, 8, Read, Write, Print) { Family = IpFamily.IPv6 };

    private static IcmpMatch Read(ReadOnlySpan<byte> info, in XtContext context) => new(info[0], info[1], info[2], info[3] != 0);

    private static void Write(IcmpMatch match, Span<byte> info, in XtContext context)
    {
        (info[0], info[1], info[2]) = (match.Type, match.FirstCode, match.LastCode);
        info.Put(3, match.Negated);
    }

    private static void Print(IcmpMatch match, IptablesArguments text)
    {
        var option = text.Family == IpFamily.IPv4 ? "--icmp-type" : "--icmpv6-type";
        var code = match is { FirstCode: 0, LastCode: byte.MaxValue } ? "" : $"/{match.FirstCode}";
        text.Not(match.Negated).Add(text.Family == IpFamily.IPv4 && match.Type == AnyType ? $"{option} any" : $"{option} {match.Type}{code}");
    }
}
