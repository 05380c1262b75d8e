using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>What <see cref="RecentMatch"/> does.</summary>
public enum RecentAction : byte
{
    /// <summary><c>--rcheck</c>: true for an address in the list.</summary>
    Check = 1, // XT_RECENT_CHECK

    /// <summary><c>--set</c>: puts the address into the list; true.</summary>
    Set = 2, // XT_RECENT_SET

    /// <summary><c>--update</c>: true for an address in the list, which is noted as seen now.</summary>
    Update = 4, // XT_RECENT_UPDATE

    /// <summary><c>--remove</c>: true for an address in the list, which is taken out.</summary>
    Remove = 8, // XT_RECENT_REMOVE
}

/// <summary><c>-m recent</c>: a list of addresses.</summary>
/// <param name="Name">The list, 1 to 199 bytes.</param>
/// <param name="Action">What to do.</param>
/// <param name="Seconds">With check and update: seen within that time; 0 for ever.</param>
/// <param name="Reap">With check and update: forget older ones.</param>
public sealed record RecentMatch(string Name, RecentAction Action, uint Seconds = 0, bool Reap = false) : IptablesMatch
{
    private const int NameAt = 10;
    private const int NameSize = 200; // XT_RECENT_NAME_LEN
    private const int SideAt = NameAt + NameSize;
    private const int MaskAt = 212;
    private const byte WithTtl = 16; // XT_RECENT_TTL
    private const byte WithReap = 32; // XT_RECENT_REAP

    /// <summary>With check and update: seen so often; 0 for once.</summary>
    public uint HitCount { get; init; }

    /// <summary>With check and update: the TTL must be that with which the address was put into the list.</summary>
    public bool Ttl { get; init; }

    /// <summary>The other way round.</summary>
    public bool Negated { get; init; }

    /// <summary>Destination addresses, instead of sources.</summary>
    public bool ByDestination { get; init; }

    /// <summary>Which bits of addresses count; null for all.</summary>
    public IpAddr? Mask { get; init; }

    // struct xt_recent_mtinfo_v1 (xt_recent.h): | seconds u32 | hit_count u32 | check_set u8 | invert u8 | name char[200] | side u8 | mask 16 bytes |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, RecentMatch>("recent", 1, 232, Read, Write, Print) { IsExact = true };

    private static RecentMatch? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var action = (RecentAction)(info[8] & ~(WithReap | WithTtl));
        if (action is not (RecentAction.Check or RecentAction.Set or RecentAction.Update or RecentAction.Remove)) return null;
        if (info[9] > 1 || info[SideAt] > 1 || XtText.Read(info.Slice(NameAt, NameSize)) is not { } name) return null;
        // The kernel looks at four bytes of an IPv4 mask; iptables-restore leaves the others zero.
        var mask = info.Slice(MaskAt, context.Family == IpFamily.IPv4 ? 4 : 16);
        return new RecentMatch(name, action, info.U32(0), (info[8] & WithReap) != 0)
        {
            HitCount = info.U32(4), Ttl = (info[8] & WithTtl) != 0, Negated = info[9] != 0, ByDestination = info[SideAt] != 0,
            Mask = mask.ContainsAnyExcept((byte)0xFF) ? IpAddr.FromBytes(mask) : null,
        };
    }

    private static void Write(RecentMatch match, Span<byte> info, in XtContext context)
    {
        info.Put(0, match.Seconds);
        info.Put(4, match.HitCount);
        info[8] = (byte)((byte)match.Action | (match.Reap ? WithReap : 0) | (match.Ttl ? WithTtl : 0));
        info.Put(9, match.Negated);
        info.Put(NameAt, NameSize, match.Name);
        info.Put(SideAt, match.ByDestination);
        if (match.Mask is { } mask) info.Put(MaskAt, mask, context.Family);
        else info.Slice(MaskAt, 16).Fill(0xFF);
    }

    private static void Print(RecentMatch match, IptablesArguments text)
    {
        text.Not(match.Negated).Add(match.Action switch { RecentAction.Set => "--set", RecentAction.Update => "--update", RecentAction.Remove => "--remove", _ => "--rcheck" });
        if (match.Seconds != 0) text.Add($"--seconds {match.Seconds}");
        text.If(match.Reap, "--reap");
        if (match.HitCount != 0) text.Add($"--hitcount {match.HitCount}");
        text.If(match.Ttl, "--rttl").Add($"--name {match.Name}");
        var mask = match.Mask is { } given ? XtAddresses.Text(given, text.Family)
            : text.Family == IpFamily.IPv6 ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255";
        text.Add($"--mask {mask}").Add(match.ByDestination ? "--rdest" : "--rsource");
    }
}
