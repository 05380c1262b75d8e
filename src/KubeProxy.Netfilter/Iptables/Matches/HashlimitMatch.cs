using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>What <see cref="HashlimitMatch"/> counts apart (<c>XT_HASHLIMIT_HASH_*</c>).</summary>
[Flags]
public enum HashlimitKeys : uint
{
    /// <summary>Everything together.</summary>
    None = 0,

    /// <summary>dstip.</summary>
    DestinationAddress = 1 << 0, // XT_HASHLIMIT_HASH_DIP

    /// <summary>dstport.</summary>
    DestinationPort = 1 << 1, // XT_HASHLIMIT_HASH_DPT

    /// <summary>srcip.</summary>
    SourceAddress = 1 << 2, // XT_HASHLIMIT_HASH_SIP

    /// <summary>srcport.</summary>
    SourcePort = 1 << 3, // XT_HASHLIMIT_HASH_SPT
}

/// <summary><c>-m hashlimit</c>: a rate for each address or port.</summary>
/// <param name="Name">The table of counts, 1 to 254 bytes.</param>
/// <param name="Cost">
/// Of packets: the time between two in units of a microsecond (1,000,000 for 1/sec). Of bytes: 2^32 divided by the number of 16-byte units a second.
/// </param>
/// <param name="Burst">How many at once; with <paramref name="Bytes"/> in units of the rate.</param>
/// <param name="Keys">What is counted apart.</param>
/// <param name="Above">True above the rate, instead of up to it.</param>
/// <param name="Bytes">Bytes are counted, not packets.</param>
public sealed record HashlimitMatch(string Name, ulong Cost, ulong Burst, HashlimitKeys Keys, bool Above = false, bool Bytes = false) : IptablesMatch
{
    private const int NameSize = 255;
    private const uint InvertedMode = 1 << 4; // XT_HASHLIMIT_INVERT
    private const uint BytesMode = 1 << 5; // XT_HASHLIMIT_BYTES
    private const uint RateMode = 1 << 6; // XT_HASHLIMIT_RATE_MATCH

    /// <summary>Buckets of the table; 0 for what the kernel thinks right.</summary>
    public uint Buckets { get; init; }

    /// <summary>Most entries of the table; 0 for what the kernel thinks right.</summary>
    public uint MaxEntries { get; init; }

    /// <summary>How often old entries are looked for, in milliseconds.</summary>
    public uint CollectInterval { get; init; } = 1000;

    /// <summary>After what time an idle entry goes, in milliseconds.</summary>
    public uint Expire { get; init; } = 1000;

    /// <summary>How many bits of source addresses count.</summary>
    public byte SourceMask { get; init; } = 32;

    /// <summary>How many bits of destination addresses count.</summary>
    public byte DestinationMask { get; init; } = 32;

    /// <summary>Compares the rate of the last interval, instead of spending a budget (<c>--hashlimit-rate-match</c>).</summary>
    public bool RateMatch { get; init; }

    /// <summary>The interval of that, in seconds.</summary>
    public uint RateInterval { get; init; }

    // struct xt_hashlimit_mtinfo3 (xt_hashlimit.h):
    // | name char[255] | cfg at 256 { avg u64 | burst u64 | mode u32 | size u32 | max u32 | gc_interval u32 | expire u32 | interval u32 | srcmask u8 | dstmask u8 } | pointer |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, HashlimitMatch>("hashlimit", 3, 312, Read, Write, Print);

    private static HashlimitMatch? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        if (info.Text(0, NameSize) is not { Length: > 0 } name) return null;
        var mode = info.U32(272);
        return new HashlimitMatch(name, info.U64(256), info.U64(264), (HashlimitKeys)(mode & 15), (mode & InvertedMode) != 0, (mode & BytesMode) != 0)
        {
            Buckets = info.U32(276), MaxEntries = info.U32(280), CollectInterval = info.U32(284), Expire = info.U32(288), RateInterval = info.U32(292),
            SourceMask = info[296], DestinationMask = info[297], RateMatch = (mode & RateMode) != 0,
        };
    }

    private static void Write(HashlimitMatch match, Span<byte> info, in XtContext context)
    {
        info.Put(0, NameSize, match.Name);
        info.Put(256, match.Cost);
        info.Put(264, match.Burst);
        info.Put(272, (uint)match.Keys | (match.Above ? InvertedMode : 0) | (match.Bytes ? BytesMode : 0) | (match.RateMatch ? RateMode : 0));
        info.Put(276, match.Buckets);
        info.Put(280, match.MaxEntries);
        info.Put(284, match.CollectInterval);
        info.Put(288, match.Expire);
        info.Put(292, match.RateInterval);
        (info[296], info[297]) = (match.SourceMask, match.DestinationMask);
    }

    private static void Print(HashlimitMatch match, IptablesArguments text)
    {
        text.Add(match.Above ? "--hashlimit-above" : "--hashlimit-upto");
        var expire = match.Bytes ? HashlimitRates.PrintBytes(match, text) : HashlimitRates.PrintPackets(match, text);
        if (match.Keys != HashlimitKeys.None) text.Add($"--hashlimit-mode {string.Join(',', KeyNames(match.Keys))}");
        text.Add($"--hashlimit-name {match.Name}");
        if (match.Buckets != 0) text.Add($"--hashlimit-htable-size {match.Buckets}");
        if (match.MaxEntries != 0) text.Add($"--hashlimit-htable-max {match.MaxEntries}");
        if (match.CollectInterval != 1000) text.Add($"--hashlimit-htable-gcinterval {match.CollectInterval}");
        if (match.Expire != expire) text.Add($"--hashlimit-htable-expire {match.Expire}");
        var whole = text.Family == Core.Model.IpFamily.IPv4 ? 32 : 128;
        if (match.SourceMask != whole) text.Add($"--hashlimit-srcmask {match.SourceMask}");
        if (match.DestinationMask != whole) text.Add($"--hashlimit-dstmask {match.DestinationMask}");
        if (!match.RateMatch) return;
        text.Add("--hashlimit-rate-match");
        if (match.RateInterval != 1) text.Add($"--hashlimit-rate-interval {match.RateInterval}");
    }

    private static IEnumerable<string> KeyNames(HashlimitKeys keys)
    {
        if (keys.HasFlag(HashlimitKeys.SourceAddress)) yield return "srcip";
        if (keys.HasFlag(HashlimitKeys.SourcePort)) yield return "srcport";
        if (keys.HasFlag(HashlimitKeys.DestinationAddress)) yield return "dstip";
        if (keys.HasFlag(HashlimitKeys.DestinationPort)) yield return "dstport";
    }
}
