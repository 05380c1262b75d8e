using System.Globalization;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m time</c>: when the packet comes. Times are UTC, but with <see cref="KernelTimeZone"/>.</summary>
public sealed record TimeMatch : IptablesMatch
{
    private const uint LastSecond = (24 * 60 * 60) - 1; // XT_TIME_MAX_DAYTIME
    private const uint EveryMonthDay = 0xFFFFFFFE; // XT_TIME_ALL_MONTHDAYS
    private const byte EveryWeekday = 0xFE; // XT_TIME_ALL_WEEKDAYS
    private const byte LocalZone = 1; // XT_TIME_LOCAL_TZ
    private const byte IsContiguous = 2; // XT_TIME_CONTIGUOUS
    private static readonly string[] Weekday = ["", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

    /// <summary>From when on, in seconds since 1970; 0 for ever.</summary>
    public uint DateStart { get; init; }

    /// <summary>Until when, in seconds since 1970.</summary>
    public uint DateStop { get; init; } = int.MaxValue;

    /// <summary>From when on each day, in seconds since midnight.</summary>
    public uint DayStart { get; init; }

    /// <summary>Until when each day, in seconds since midnight.</summary>
    public uint DayStop { get; init; } = LastSecond;

    /// <summary>The days of the month, a bit each: bit 1 for the first.</summary>
    public uint MonthDays { get; init; } = EveryMonthDay;

    /// <summary>The days of the week, a bit each: bit 1 for Monday.</summary>
    public byte Weekdays { get; init; } = EveryWeekday;

    /// <summary>Times are of the kernel's time zone.</summary>
    public bool KernelTimeZone { get; init; }

    /// <summary>A time of day that passes midnight is one span.</summary>
    public bool Contiguous { get; init; }

    // struct xt_time_info (xt_time.h): | date_start u32 | date_stop u32 | daytime_start u32 | daytime_stop u32 | monthdays_match u32 | weekdays_match u8 | flags u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, TimeMatch>("time", 0, 24, Read, Write, Print);

    private static TimeMatch Read(ReadOnlySpan<byte> info, in XtContext context) => new()
    {
        DateStart = info.U32(0), DateStop = info.U32(4), DayStart = info.U32(8), DayStop = info.U32(12), MonthDays = info.U32(16), Weekdays = info[20],
        KernelTimeZone = (info[21] & LocalZone) != 0, Contiguous = (info[21] & IsContiguous) != 0,
    };

    private static void Write(TimeMatch match, Span<byte> info, in XtContext context)
    {
        info.Put(0, match.DateStart);
        info.Put(4, match.DateStop);
        info.Put(8, match.DayStart);
        info.Put(12, match.DayStop);
        info.Put(16, match.MonthDays);
        (info[20], info[21]) = (match.Weekdays, (byte)((match.KernelTimeZone ? LocalZone : 0) | (match.Contiguous ? IsContiguous : 0)));
    }

    private static void Print(TimeMatch match, IptablesArguments text)
    {
        if (match.DayStart != 0 || match.DayStop != LastSecond) text.Add($"--timestart {OfDay(match.DayStart)} --timestop {OfDay(match.DayStop)}");
        if (match.MonthDays != EveryMonthDay) text.Add($"--monthdays {string.Join(',', Enumerable.Range(1, 31).Where(day => (match.MonthDays & (1u << day)) != 0))}");
        if (match.Weekdays != EveryWeekday) text.Add($"--weekdays {IptablesArguments.Names(Weekday, match.Weekdays)}");
        if (match.DateStart != 0) text.Add($"--datestart {Date(match.DateStart)}");
        if (match.DateStop != 0) text.Add($"--datestop {Date(match.DateStop)}");
        text.If(match.KernelTimeZone, "--kerneltz").If(match.Contiguous, "--contiguous");
    }

    private static string OfDay(uint seconds) => $"{seconds / 3600:00}:{seconds / 60 % 60:00}:{seconds % 60:00}";

    private static string Date(uint seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
}
