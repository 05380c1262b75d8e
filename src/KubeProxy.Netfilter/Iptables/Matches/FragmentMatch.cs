using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>What of the fragment header must be (<c>IP6T_FRAG_*</c>).</summary>
[Flags]
public enum FragmentFlags : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><c>--fragres</c>: reserved bits are zero.</summary>
    Reserved = 4, // IP6T_FRAG_RES

    /// <summary><c>--fragfirst</c>: the first fragment.</summary>
    First = 8, // IP6T_FRAG_FST

    /// <summary><c>--fragmore</c>: more follow.</summary>
    More = 16, // IP6T_FRAG_MF

    /// <summary><c>--fraglast</c>: none follow.</summary>
    Last = 32, // IP6T_FRAG_NMF
}

/// <summary><c>-m frag</c>: the fragment header of IPv6 (RFC 8200).</summary>
/// <param name="Ids">The identification.</param>
/// <param name="Flags">What must be.</param>
public sealed record FragmentMatch(IdRange Ids, FragmentFlags Flags = FragmentFlags.None) : IptablesMatch
{
    private const byte HasLength = 2; // IP6T_FRAG_LEN

    /// <summary>The length of the header; null for any.</summary>
    public uint? Length { get; init; }

    /// <summary>Not this length.</summary>
    public bool LengthNegated { get; init; }

    /// <summary>That a range of identifications was given, which the kernel does not look at.</summary>
    public bool HasIds { get; init; }

    // struct ip6t_frag (ip6t_frag.h): | ids u32[2] | hdrlen u32 | flags u8 | invflags u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, FragmentMatch>("frag", 0, 16, Read, Write, Print) { Family = IpFamily.IPv6 };

    private static FragmentMatch Read(ReadOnlySpan<byte> info, in XtContext context) => new(new IdRange(info.U32(0), info.U32(4), (info[13] & 1) != 0), (FragmentFlags)(info[12] & 0x3C))
    {
        Length = (info[12] & HasLength) == 0 ? null : info.U32(8), LengthNegated = (info[13] & HasLength) != 0, HasIds = (info[12] & 1) != 0,
    };

    private static void Write(FragmentMatch match, Span<byte> info, in XtContext context)
    {
        info.Put(0, match.Ids.First);
        info.Put(4, match.Ids.Last);
        info.Put(8, match.Length ?? 0);
        info[12] = (byte)((byte)match.Flags | (match.Length is null ? 0 : HasLength) | (match.HasIds ? 1 : 0));
        info[13] = (byte)((match.Ids.Negated ? 1 : 0) | (match.LengthNegated ? HasLength : 0));
    }

    private static void Print(FragmentMatch match, IptablesArguments text)
    {
        SpiText.Print("--fragid", match.Ids, text);
        if (match.Length is { } length) text.Not(match.LengthNegated).Add($"--fraglen {length}");
        text.If(match.Flags.HasFlag(FragmentFlags.Reserved), "--fragres").If(match.Flags.HasFlag(FragmentFlags.First), "--fragfirst")
            .If(match.Flags.HasFlag(FragmentFlags.More), "--fragmore").If(match.Flags.HasFlag(FragmentFlags.Last), "--fraglast");
    }
}
