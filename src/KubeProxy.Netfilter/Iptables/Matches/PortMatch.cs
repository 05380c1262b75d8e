using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>
/// <c>-m tcp</c>, <c>-m udp</c> or <c>-m sctp</c>, whichever <see cref="IptablesRule.Protocol"/> says: the ports. See
/// <see cref="TcpMatch"/> and <see cref="SctpMatch"/> for what else these can ask for.
/// </summary>
/// <param name="Source">The source port; null for any.</param>
/// <param name="Destination">The destination port; null for any.</param>
public sealed record PortMatch(PortRange? Source, PortRange? Destination) : IptablesMatch
{
    private const int Size = 16;

    /// <summary>Any ports: only the protocol counts.</summary>
    public static PortMatch Any { get; } = new(null, null);

    // iptables writes ports of tcp and udp as expressions of nf_tables; the extension is there only where there are none.
    // struct xt_tcp: | spts u16[2] | dpts u16[2] | option u8 | flg_mask u8 | flg_cmp u8 | invflags u8 | ; struct xt_udp: | spts | dpts | invflags u8 |
    internal static XtCodec<IptablesMatch> TcpCodec { get; } = OfAny("tcp", Protocol.Tcp);

    internal static XtCodec<IptablesMatch> UdpCodec { get; } = OfAny("udp", Protocol.Udp);

    internal static XtCodec<IptablesMatch> SctpCodec { get; } = new XtCodec<IptablesMatch, PortMatch>(
        "sctp", 0, SctpMatch.Size, static (info, in context) => context.IsFor(Protocol.Sctp) ? SctpMatch.ReadPorts(info) : null,
        static (match, info, in _) => SctpMatch.WritePorts(info, match.Source, match.Destination), Print) { IsExact = true };

    private static XtCodec<IptablesMatch, PortMatch> OfAny(string name, Protocol protocol) => new(
        name, 0, Size, (info, in context) => context.IsFor(protocol) && IsAny(info) ? Any : null,
        static (_, info, in _) =>
        {
            info.Put(2, ushort.MaxValue);
            info.Put(6, ushort.MaxValue);
        },
        Print) { IsExact = true };

    private static bool IsAny(ReadOnlySpan<byte> info) =>
        info.U16(0) == 0 && info.U16(2) == ushort.MaxValue && info.U16(4) == 0 && info.U16(6) == ushort.MaxValue && !info[8..].ContainsAnyExcept((byte)0);

    private static void Print(PortMatch match, IptablesArguments text)
    {
        PortRange.Print("--sport", match.Source, text);
        PortRange.Print("--dport", match.Destination, text);
    }
}

/// <summary>
/// <c>-m tcp ! --sport ! --dport</c> (or udp) with single ports, in the form that iptables 1.8.9 gives it: the two ports compared at once, so that it
/// holds for all packets but those that have both. Separate comparisons are a <see cref="PortMatch"/>.
/// </summary>
/// <param name="Source">The source port.</param>
/// <param name="Destination">The destination port.</param>
public sealed record PortPairMatch(ushort Source, ushort Destination) : IptablesMatch;
