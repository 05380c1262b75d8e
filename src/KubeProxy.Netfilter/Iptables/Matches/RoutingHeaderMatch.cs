using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m rt</c>: the routing header of IPv6 (RFC 8200). Null is any.</summary>
/// <param name="SegmentsLeft">How many segments are left.</param>
public sealed record RoutingHeaderMatch(IdRange SegmentsLeft) : IptablesMatch
{
    private const byte HasType = 1; // IP6T_RT_TYP
    private const byte HasSegments = 2; // IP6T_RT_SGS
    private const byte HasLength = 4; // IP6T_RT_LEN
    private const byte HasReserved = 8; // IP6T_RT_RES

    /// <summary>That a range of segments was given.</summary>
    public bool HasSegmentsLeft { get; init; }

    /// <summary>The type.</summary>
    public uint? Type { get; init; }

    /// <summary>Not this type.</summary>
    public bool TypeNegated { get; init; }

    /// <summary>The length of the header in bytes.</summary>
    public uint? Length { get; init; }

    /// <summary>Not this length.</summary>
    public bool LengthNegated { get; init; }

    /// <summary>The reserved field must be zero (type 0).</summary>
    public bool Reserved { get; init; }

    // struct ip6t_rt (ip6t_rt.h): | rt_type u32 | segsleft u32[2] | hdrlen u32 | flags u8 | invflags u8 | addrs 16[16] at 20 | addrnr u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, RoutingHeaderMatch>("rt", 0, 280, Read, Write, Print) { Family = IpFamily.IPv6 };

    private static RoutingHeaderMatch Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var (flags, inverted) = (info[16], info[17]);
        return new RoutingHeaderMatch(SpiText.Read(info, 4, (inverted & HasSegments) != 0))
        {
            HasSegmentsLeft = (flags & HasSegments) != 0,
            Type = (flags & HasType) == 0 ? null : info.U32(0), TypeNegated = (inverted & HasType) != 0,
            Length = (flags & HasLength) == 0 ? null : info.U32(12), LengthNegated = (inverted & HasLength) != 0,
            Reserved = (flags & HasReserved) != 0,
        };
    }

    private static void Write(RoutingHeaderMatch match, Span<byte> info, in XtContext context)
    {
        info.Put(0, match.Type ?? 0);
        SpiText.Write(match.SegmentsLeft, info, 4);
        info.Put(12, match.Length ?? 0);
        info[16] = (byte)((match.Type is null ? 0 : HasType) | (match.HasSegmentsLeft ? HasSegments : 0) | (match.Length is null ? 0 : HasLength) | (match.Reserved ? HasReserved : 0));
        info[17] = (byte)((match.TypeNegated ? HasType : 0) | (match.SegmentsLeft.Negated ? HasSegments : 0) | (match.LengthNegated ? HasLength : 0));
    }

    private static void Print(RoutingHeaderMatch match, IptablesArguments text)
    {
        if (match.Type is { } type) text.Not(match.TypeNegated).Add($"--rt-type {type}");
        SpiText.Print("--rt-segsleft", match.SegmentsLeft, text);
        if (match.Length is { } length) text.Not(match.LengthNegated).Add($"--rt-len {length}");
        text.If(match.Reserved, "--rt-0-res");
    }
}
