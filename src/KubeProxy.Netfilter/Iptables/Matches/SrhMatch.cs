using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>A comparison of a number of a header.</summary>
/// <param name="Operator">How; equal, less or greater.</param>
/// <param name="Negated">Not so.</param>
public readonly record struct SrhTest(SrhOperator Operator, bool Negated = false);

/// <summary>How a number is compared.</summary>
public enum SrhOperator : byte
{
    /// <summary>The same.</summary>
    Equal,

    /// <summary>Greater.</summary>
    Greater,

    /// <summary>Less.</summary>
    Less,
}

/// <summary><c>-m srh</c>: the segment routing header of IPv6 (RFC 8754). Null tests nothing.</summary>
public sealed record SrhMatch : IptablesMatch
{
    private const int Flags = 104;
    private const int InverseFlags = 106;
    private const ushort HasNext = 1 << 0; // IP6T_SRH_NEXTHDR
    private const ushort HasTag = 1 << 10; // IP6T_SRH_TAG

    // IP6T_SRH_LEN_EQ, _SEGS_EQ, _LAST_EQ: the bits of the others are behind.
    private const int LengthBit = 1;
    private const int SegmentsBit = 4;
    private const int LastBit = 7;

    // IP6T_SRH_PSID, _NSID, _LSID: addresses from 8 on, masks from 56 on.
    private const int AddressBit = 11;
    private static readonly string[] Operators = ["eq", "gt", "lt"];

    /// <summary>The next header.</summary>
    public ProtocolMatch? NextHeader { get; init; }

    /// <summary>How <see cref="Length"/> is compared; more than one comparison is none.</summary>
    public SrhTest? LengthTest { get; init; }

    /// <summary>The length of the header in units of 8 bytes without the first.</summary>
    public byte Length { get; init; }

    /// <summary>How <see cref="SegmentsLeft"/> is compared.</summary>
    public SrhTest? SegmentsTest { get; init; }

    /// <summary>Segments left.</summary>
    public byte SegmentsLeft { get; init; }

    /// <summary>How <see cref="LastEntry"/> is compared.</summary>
    public SrhTest? LastEntryTest { get; init; }

    /// <summary>The index of the last entry of the list.</summary>
    public byte LastEntry { get; init; }

    /// <summary>The tag.</summary>
    public ushort? Tag { get; init; }

    /// <summary>Not this tag.</summary>
    public bool TagNegated { get; init; }

    /// <summary>The segment before this (<c>--srh-psid</c>).</summary>
    public AddressMatch? PreviousSegment { get; init; }

    /// <summary>The next segment (<c>--srh-nsid</c>).</summary>
    public AddressMatch? NextSegment { get; init; }

    /// <summary>The last segment (<c>--srh-lsid</c>).</summary>
    public AddressMatch? LastSegment { get; init; }

    // struct ip6t_srh1 (ip6t_srh.h): | next_hdr u8 | hdr_len u8 | segs_left u8 | last_entry u8 | tag u16 | 3 addresses at 8 | 3 masks at 56 | mt_flags u16 | mt_invflags u16 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, SrhMatch>("srh", 1, 112, Read, Write, Print) { Family = IpFamily.IPv6 };

    private static SrhMatch? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var (flags, inverted) = (info.U16(Flags), info.U16(InverseFlags));
        var segments = new AddressMatch?[3];
        for (var i = 0; i < 3; i++)
        {
            if ((flags & (1 << (AddressBit + i))) == 0) continue;
            if (info.Block(8 + (16 * i), IpFamily.IPv6, 56 + (16 * i)) is not { } block) return null;
            segments[i] = new AddressMatch(block, (inverted & (1 << (AddressBit + i))) != 0);
        }

        return new SrhMatch
        {
            NextHeader = (flags & HasNext) == 0 ? null : new ProtocolMatch((Protocol)info[0], (inverted & HasNext) != 0),
            LengthTest = Test(flags, inverted, LengthBit), Length = info[1], SegmentsTest = Test(flags, inverted, SegmentsBit), SegmentsLeft = info[2],
            LastEntryTest = Test(flags, inverted, LastBit), LastEntry = info[3],
            Tag = (flags & HasTag) == 0 ? null : info.U16(4), TagNegated = (inverted & HasTag) != 0,
            PreviousSegment = segments[0], NextSegment = segments[1], LastSegment = segments[2],
        };
    }

    private static SrhTest? Test(ushort flags, ushort inverted, int bit)
    {
        for (var i = 0; i < 3; i++)
            if ((flags & (1 << (bit + i))) != 0) return new SrhTest((SrhOperator)i, (inverted & (1 << (bit + i))) != 0);
        return null;
    }

    private static void Write(SrhMatch match, Span<byte> info, in XtContext context)
    {
        var (flags, inverted) = (0, 0);
        (info[0], info[1], info[2], info[3]) = ((byte)(match.NextHeader?.Protocol ?? 0), match.Length, match.SegmentsLeft, match.LastEntry);
        info.Put(4, match.Tag ?? 0);
        if (match.NextHeader is { } next) Set(0, next.Negated);
        if (match.LengthTest is { } length) Set(LengthBit + (int)length.Operator, length.Negated);
        if (match.SegmentsTest is { } left) Set(SegmentsBit + (int)left.Operator, left.Negated);
        if (match.LastEntryTest is { } last) Set(LastBit + (int)last.Operator, last.Negated);
        if (match.Tag is not null) Set(10, match.TagNegated);
        AddressMatch?[] segments = [match.PreviousSegment, match.NextSegment, match.LastSegment];
        for (var i = 0; i < 3; i++)
        {
            if (segments[i] is not { } segment) continue;
            Set(AddressBit + i, segment.Negated);
            info.Put(8 + (16 * i), segment.Block, IpFamily.IPv6, 56 + (16 * i));
        }

        info.Put(Flags, (ushort)flags);
        info.Put(InverseFlags, (ushort)inverted);

        void Set(int bit, bool negated)
        {
            flags |= 1 << bit;
            if (negated) inverted |= 1 << bit;
        }
    }

    private static void Print(SrhMatch match, IptablesArguments text)
    {
        if (match.NextHeader is { } next) text.Not(next.Negated).Add($"--srh-next-hdr {(byte)next.Protocol}");
        PrintTest("--srh-hdr-len", match.LengthTest, match.Length, text);
        PrintTest("--srh-segs-left", match.SegmentsTest, match.SegmentsLeft, text);
        PrintTest("--srh-last-entry", match.LastEntryTest, match.LastEntry, text);
        if (match.Tag is { } tag) text.Not(match.TagNegated).Add($"--srh-tag {tag}");
        PrintSegment("--srh-psid", match.PreviousSegment, text);
        PrintSegment("--srh-nsid", match.NextSegment, text);
        PrintSegment("--srh-lsid", match.LastSegment, text);
    }

    private static void PrintTest(string option, SrhTest? test, byte value, IptablesArguments text)
    {
        if (test is { } found) text.Not(found.Negated).Add($"{option}-{Operators[(int)found.Operator]} {value}");
    }

    private static void PrintSegment(string option, AddressMatch? segment, IptablesArguments text)
    {
        if (segment is not null) text.Not(segment.Negated).Add($"{option} {XtAddresses.Text(segment.Block, IpFamily.IPv6)}");
    }
}
