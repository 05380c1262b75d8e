using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>A range of addresses.</summary>
/// <param name="First">The lowest.</param>
/// <param name="Last">The highest.</param>
/// <param name="Negated">Outside of it.</param>
public sealed record AddressRange(IpAddr First, IpAddr Last, bool Negated = false);

/// <summary><c>-m iprange</c>: ranges of addresses. Null is any.</summary>
/// <param name="Source">Of the source.</param>
/// <param name="Destination">Of the destination.</param>
public sealed record IpRangeMatch(AddressRange? Source = null, AddressRange? Destination = null) : IptablesMatch
{
    private const byte HasSource = 1; // IPRANGE_SRC
    private const byte HasDestination = 2; // IPRANGE_DST
    private const byte NegatedSource = 16; // IPRANGE_SRC_INV
    private const byte NegatedDestination = 32; // IPRANGE_DST_INV

    // struct xt_iprange_mtinfo (xt_iprange.h): | src_min | src_max | dst_min | dst_max, each 16 bytes | flags u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, IpRangeMatch>("iprange", 1, 72, Read, Write, Print);

    private static IpRangeMatch Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var flags = info[64];
        return new IpRangeMatch(
            (flags & HasSource) == 0 ? null : new AddressRange(info.Address(0, context.Family), info.Address(16, context.Family), (flags & NegatedSource) != 0),
            (flags & HasDestination) == 0 ? null : new AddressRange(info.Address(32, context.Family), info.Address(48, context.Family), (flags & NegatedDestination) != 0));
    }

    private static void Write(IpRangeMatch match, Span<byte> info, in XtContext context)
    {
        Write(match.Source, info, 0, context.Family, HasSource, NegatedSource);
        Write(match.Destination, info, 32, context.Family, HasDestination, NegatedDestination);
    }

    private static void Write(AddressRange? range, Span<byte> info, int at, IpFamily family, byte bit, byte negated)
    {
        if (range is null) return;
        info.Put(at, range.First, family);
        info.Put(at + 16, range.Last, family);
        info[64] |= (byte)(bit | (range.Negated ? negated : 0));
    }

    private static void Print(IpRangeMatch match, IptablesArguments text)
    {
        Print("--src-range", match.Source, text);
        Print("--dst-range", match.Destination, text);
    }

    private static void Print(string option, AddressRange? range, IptablesArguments text)
    {
        if (range is not null) text.Not(range.Negated).Add(option, range.First, range.Last);
    }
}
