using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>Types of addresses (<c>enum</c> <c>XT_ADDRTYPE_*</c> in <c>linux/netfilter/xt_addrtype.h</c>).</summary>
[Flags]
public enum AddressTypes : ushort
{
    /// <summary>None asked for.</summary>
    None = 0,

    /// <summary>UNSPEC.</summary>
    Unspecified = 1 << 0, // XT_ADDRTYPE_UNSPEC

    /// <summary>UNICAST.</summary>
    Unicast = 1 << 1, // XT_ADDRTYPE_UNICAST

    /// <summary>LOCAL: this host's.</summary>
    Local = 1 << 2, // XT_ADDRTYPE_LOCAL

    /// <summary>BROADCAST.</summary>
    Broadcast = 1 << 3, // XT_ADDRTYPE_BROADCAST

    /// <summary>ANYCAST.</summary>
    Anycast = 1 << 4, // XT_ADDRTYPE_ANYCAST

    /// <summary>MULTICAST.</summary>
    Multicast = 1 << 5, // XT_ADDRTYPE_MULTICAST

    /// <summary>BLACKHOLE.</summary>
    Blackhole = 1 << 6, // XT_ADDRTYPE_BLACKHOLE

    /// <summary>UNREACHABLE.</summary>
    Unreachable = 1 << 7, // XT_ADDRTYPE_UNREACHABLE

    /// <summary>PROHIBIT.</summary>
    Prohibit = 1 << 8, // XT_ADDRTYPE_PROHIBIT

    /// <summary>THROW.</summary>
    Throw = 1 << 9, // XT_ADDRTYPE_THROW

    /// <summary>NAT.</summary>
    Nat = 1 << 10, // XT_ADDRTYPE_NAT

    /// <summary>XRESOLVE.</summary>
    ExternalResolve = 1 << 11, // XT_ADDRTYPE_XRESOLVE
}

/// <summary><c>-m addrtype</c>: the types of the addresses.</summary>
/// <param name="Source">Any of these; none for any source.</param>
/// <param name="Destination">Any of these; none for any destination.</param>
public sealed record AddressTypeMatch(AddressTypes Source, AddressTypes Destination) : IptablesMatch
{
    private const uint NegatedSource = 1; // XT_ADDRTYPE_INVERT_SOURCE
    private const uint NegatedDestination = 2; // XT_ADDRTYPE_INVERT_DEST
    private const uint InputOnly = 4; // XT_ADDRTYPE_LIMIT_IFACE_IN
    private const uint OutputOnly = 8; // XT_ADDRTYPE_LIMIT_IFACE_OUT

    private static readonly string[] TypeNames =
        ["UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW", "NAT", "XRESOLVE"];

    /// <summary>None of the types of the source.</summary>
    public bool SourceNegated { get; init; }

    /// <summary>None of the types of the destination.</summary>
    public bool DestinationNegated { get; init; }

    /// <summary>Only routes of the input interface count (<c>--limit-iface-in</c>).</summary>
    public bool LimitInput { get; init; }

    /// <summary>Only routes of the output interface count (<c>--limit-iface-out</c>).</summary>
    public bool LimitOutput { get; init; }

    // struct xt_addrtype_info_v1 (xt_addrtype.h): | source u16 | dest u16 | flags u32 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, AddressTypeMatch>("addrtype", 1, 8, Read, Write, Print);

    private static AddressTypeMatch Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var flags = info.U32(4);
        return new AddressTypeMatch((AddressTypes)info.U16(0), (AddressTypes)info.U16(2))
        {
            SourceNegated = (flags & NegatedSource) != 0, DestinationNegated = (flags & NegatedDestination) != 0,
            LimitInput = (flags & InputOnly) != 0, LimitOutput = (flags & OutputOnly) != 0,
        };
    }

    private static void Write(AddressTypeMatch match, Span<byte> info, in XtContext context)
    {
        info.Put(0, (ushort)match.Source);
        info.Put(2, (ushort)match.Destination);
        info.Put(4, (match.SourceNegated ? NegatedSource : 0) | (match.DestinationNegated ? NegatedDestination : 0)
            | (match.LimitInput ? InputOnly : 0) | (match.LimitOutput ? OutputOnly : 0));
    }

    private static void Print(AddressTypeMatch match, IptablesArguments text)
    {
        if (match.Source != 0) text.Not(match.SourceNegated).Add($"--src-type {IptablesArguments.Names(TypeNames, (uint)match.Source)}");
        if (match.Destination != 0) text.Not(match.DestinationNegated).Add($"--dst-type {IptablesArguments.Names(TypeNames, (uint)match.Destination)}");
        text.If(match.LimitInput, "--limit-iface-in").If(match.LimitOutput, "--limit-iface-out");
    }
}
