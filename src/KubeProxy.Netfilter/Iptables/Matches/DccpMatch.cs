using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m dccp</c>: ports, packet types and options of DCCP (RFC 4340).</summary>
/// <param name="Source">The source port; null for any.</param>
/// <param name="Destination">The destination port; null for any.</param>
public sealed record DccpMatch(PortRange? Source = null, PortRange? Destination = null) : IptablesMatch
{
    private const ushort HasSource = 1; // XT_DCCP_SRC_PORTS
    private const ushort HasDestination = 2; // XT_DCCP_DEST_PORTS
    private const ushort HasTypes = 4; // XT_DCCP_TYPE
    private const ushort HasOption = 8; // XT_DCCP_OPTION
    private static readonly string[] TypeNames = ["REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK", "INVALID"];

    /// <summary>Any of these packet types, a bit each by the number of the type; null for all.</summary>
    public ushort? Types { get; init; }

    /// <summary>None of these types.</summary>
    public bool TypesNegated { get; init; }

    /// <summary>An option that must be there; null for any.</summary>
    public byte? Option { get; init; }

    /// <summary>The option must not be there.</summary>
    public bool OptionNegated { get; init; }

    // struct xt_dccp_info (xt_dccp.h): | dpts u16[2] | spts u16[2] | flags u16 | invflags u16 | typemask u16 | option u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, DccpMatch>("dccp", 0, 16, Read, Write, Print);

    private static DccpMatch Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var (flags, inverted) = (info.U16(8), info.U16(10));
        return new DccpMatch(
            (flags & HasSource) == 0 ? null : PortRange.Read(info, 4, (inverted & HasSource) != 0),
            (flags & HasDestination) == 0 ? null : PortRange.Read(info, 0, (inverted & HasDestination) != 0))
        {
            Types = (flags & HasTypes) == 0 ? null : info.U16(12),
            TypesNegated = (inverted & HasTypes) != 0,
            Option = (flags & HasOption) == 0 ? null : info[14],
            OptionNegated = (inverted & HasOption) != 0,
        };
    }

    private static void Write(DccpMatch match, Span<byte> info, in XtContext context)
    {
        match.Source?.Write(info, 4);
        match.Destination?.Write(info, 0);
        info.Put(12, match.Types ?? 0);
        info[14] = match.Option ?? 0;
        info.Put(8, Bits(match.Source is not null, match.Destination is not null, match.Types is not null, match.Option is not null));
        info.Put(10, Bits(match.Source is { Negated: true }, match.Destination is { Negated: true }, match.TypesNegated, match.OptionNegated));
    }

    private static ushort Bits(bool source, bool destination, bool types, bool option) =>
        (ushort)((source ? HasSource : 0) | (destination ? HasDestination : 0) | (types ? HasTypes : 0) | (option ? HasOption : 0));

    private static void Print(DccpMatch match, IptablesArguments text)
    {
        PortRange.Print("--sport", match.Source, text);
        PortRange.Print("--dport", match.Destination, text);
        if (match.Types is { } types) text.Not(match.TypesNegated).Add($"--dccp-types {IptablesArguments.Names(TypeNames, types)}");
        if (match.Option is { } option) text.Not(match.OptionNegated).Add($"--dccp-option {option}");
    }
}
