using System.Globalization;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m statistic --mode random</c>: true with a probability.</summary>
/// <param name="Threshold">The probability in units of 2^-31.</param>
public sealed record StatisticMatch(uint Threshold) : IptablesMatch
{
    private const double One = 0x8000_0000;

    /// <summary>Struct xt_statistic_info (xt_statistic.h): | mode u16 | flags u16 | probability u32, or every u32, packet u32, count u32 | pointer |.</summary>
    internal const int Size = 24;

    /// <summary>True with the probability of the others.</summary>
    public bool Negated { get; init; }

    /// <summary>The probability, 0 to 1.</summary>
    public double Probability => Threshold / One;

    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, StatisticMatch>("statistic", 0, Size, Read, Write, Print) { IsExact = true };

    /// <summary>From a probability of 0 to 1.</summary>
    public static StatisticMatch Of(double probability) => new((uint)Math.Round(probability * One, MidpointRounding.AwayFromZero));

    private static StatisticMatch? Read(ReadOnlySpan<byte> info, in XtContext context) =>
        info.U16(0) == 0 && info.U16(2) <= 1 ? new StatisticMatch(info.U32(4)) { Negated = info[2] != 0 } : null;

    private static void Write(StatisticMatch match, Span<byte> info, in XtContext context)
    {
        info.Put(2, match.Negated);
        info.Put(4, match.Threshold);
    }

    private static void Print(StatisticMatch match, IptablesArguments text) => text.Add("--mode random").Not(match.Negated)
        .Add(string.Create(CultureInfo.InvariantCulture, $"--probability {match.Probability:F11}"));
}

/// <summary><c>-m statistic --mode nth</c>: true for one packet of so many.</summary>
/// <param name="Every">Of how many, 1 or more.</param>
/// <param name="Packet">Which one, from 0 on.</param>
/// <param name="Negated">True for the others.</param>
public sealed record StatisticNthMatch(uint Every, uint Packet, bool Negated = false) : IptablesMatch
{
    private const ushort Nth = 1; // XT_STATISTIC_MODE_NTH

    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, StatisticNthMatch>("statistic", 0, StatisticMatch.Size, Read, Write, Print);

    private static StatisticNthMatch? Read(ReadOnlySpan<byte> info, in XtContext context) =>
        info.U16(0) == Nth && info.U32(4) != uint.MaxValue ? new StatisticNthMatch(info.U32(4) + 1, info.U32(8), info[2] != 0) : null;

    private static void Write(StatisticNthMatch match, Span<byte> info, in XtContext context)
    {
        if (match.Packet >= match.Every) throw new ArgumentException("The packet is one of those.", nameof(match));
        info.Put(0, Nth);
        info.Put(2, match.Negated);
        info.Put(4, match.Every - 1);
        info.Put(8, match.Packet);
        // Where the count begins, so that the packet is that one.
        info.Put(12, match.Every - 1 - match.Packet);
    }

    private static void Print(StatisticNthMatch match, IptablesArguments text) =>
        text.Add("--mode nth").Not(match.Negated).Add($"--every {match.Every} --packet {match.Packet}");
}
