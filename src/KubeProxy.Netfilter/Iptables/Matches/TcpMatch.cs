using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m tcp</c> with more than ports: flags or an option of the header. Needs <c>-p tcp</c>.</summary>
/// <param name="Source">The source port; null for any.</param>
/// <param name="Destination">The destination port; null for any.</param>
public sealed record TcpMatch(PortRange? Source = null, PortRange? Destination = null) : IptablesMatch
{
    private const byte NegatedSource = 1; // XT_TCP_INV_SRCPT
    private const byte NegatedDestination = 2; // XT_TCP_INV_DSTPT
    private const byte NegatedFlags = 4; // XT_TCP_INV_FLAGS
    private const byte NegatedOption = 8; // XT_TCP_INV_OPTION
    private static readonly string[] FlagNames = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];

    /// <summary>The flags (<c>--tcp-flags</c>, <c>--syn</c>); null for any.</summary>
    public TcpFlagsTest? Flags { get; init; }

    /// <summary>An option that must be there (<c>--tcp-option</c>), 1 to 255; null for any.</summary>
    public byte? Option { get; init; }

    /// <summary>The option must not be there.</summary>
    public bool OptionNegated { get; init; }

    // struct xt_tcp (xt_tcpudp.h): | spts u16[2] | dpts u16[2] | option u8 | flg_mask u8 | flg_cmp u8 | invflags u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, TcpMatch>("tcp", 0, 16, Read, Write, Print);

    private static TcpMatch? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        // Without an option it is written as expressions of nf_tables.
        if (!context.IsFor(Core.Model.Protocol.Tcp) || info[8] == 0) return null;
        var inverted = info[11];
        var source = PortRange.Read(info, 0, (inverted & NegatedSource) != 0);
        var destination = PortRange.Read(info, 4, (inverted & NegatedDestination) != 0);
        return new TcpMatch(IsAny(source) ? null : source, IsAny(destination) ? null : destination)
        {
            Option = info[8] == 0 ? null : info[8],
            OptionNegated = (inverted & NegatedOption) != 0,
            Flags = info[9] == 0 && info[10] == 0 ? null : new TcpFlagsTest(info[9], info[10], (inverted & NegatedFlags) != 0),
        };
    }

    private static bool IsAny(PortRange ports) => ports is { First: 0, Last: ushort.MaxValue, Negated: false };

    private static void Write(TcpMatch match, Span<byte> info, in XtContext context)
    {
        (match.Source ?? new PortRange(0, ushort.MaxValue)).Write(info, 0);
        (match.Destination ?? new PortRange(0, ushort.MaxValue)).Write(info, 4);
        (info[8], info[9], info[10]) = (match.Option ?? 0, match.Flags?.Mask ?? 0, match.Flags?.Set ?? 0);
        if (match.Source is { Negated: true }) info[11] |= NegatedSource;
        if (match.Destination is { Negated: true }) info[11] |= NegatedDestination;
        if (match.Flags is { Negated: true }) info[11] |= NegatedFlags;
        if (match.OptionNegated) info[11] |= NegatedOption;
    }

    private static void Print(TcpMatch match, IptablesArguments text)
    {
        PortRange.Print("--sport", match.Source, text);
        PortRange.Print("--dport", match.Destination, text);
        if (match.Option is { } option) text.Not(match.OptionNegated).Add($"--tcp-option {option}");
        if (match.Flags is { } flags) text.Not(flags.Negated).Add($"--tcp-flags {Names(flags.Mask)} {Names(flags.Set)}");
    }

    private static string Names(byte flags) => IptablesArguments.Names(FlagNames, flags) is { Length: > 0 } names ? names : "NONE";
}

/// <summary>Flags of the TCP header (RFC 9293): of those under the mask these are set, and no others.</summary>
/// <param name="Mask">Which ones are looked at: 1 FIN, 2 SYN, 4 RST, 8 PSH, 16 ACK, 32 URG.</param>
/// <param name="Set">Which of them are set.</param>
/// <param name="Negated">Not so.</param>
public sealed record TcpFlagsTest(byte Mask, byte Set, bool Negated = false);
