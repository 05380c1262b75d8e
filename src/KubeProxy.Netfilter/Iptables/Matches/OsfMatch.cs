using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m osf</c>: the operating system that a SYN looks like.</summary>
/// <param name="Genre">Its name, 1 to 31 bytes.</param>
/// <param name="Negated">Not this one.</param>
public sealed record OsfMatch(string Genre, bool Negated = false) : IptablesMatch
{
    private const int GenreSize = 32; // MAXGENRELEN
    private const uint HasTtl = 2; // NF_OSF_TTL
    private const uint HasLog = 4; // NF_OSF_LOG
    private const uint Inverted = 8; // NF_OSF_INVERT

    /// <summary>How the TTL is compared; null for truly.</summary>
    public uint? Ttl { get; init; }

    /// <summary>What is logged; null for nothing.</summary>
    public uint? Log { get; init; }

    // struct nf_osf_info (nfnetlink_osf.h): | genre char[32] | len u32 | flags u32 | loglevel u32 | ttl u32 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, OsfMatch>(
        "osf", 0, 48,
        static (info, in _) => info.Text(0, GenreSize) is { Length: > 0 } genre
            ? new OsfMatch(genre, (info.U32(36) & Inverted) != 0) { Ttl = (info.U32(36) & HasTtl) == 0 ? null : info.U32(44), Log = (info.U32(36) & HasLog) == 0 ? null : info.U32(40) }
            : null,
        static (match, info, in _) =>
        {
            info.Put(0, GenreSize, match.Genre);
            info.Put(32, (uint)System.Text.Encoding.UTF8.GetByteCount(match.Genre));
            info.Put(36, (match.Ttl is null ? 0 : HasTtl) | (match.Log is null ? 0 : HasLog) | (match.Negated ? Inverted : 0));
            info.Put(40, match.Log ?? 0);
            info.Put(44, match.Ttl ?? 0);
        },
        static (match, text) =>
        {
            text.Not(match.Negated).Add($"--genre {match.Genre}");
            if (match.Ttl is { } ttl) text.Add($"--ttl {ttl}");
            if (match.Log is { } log) text.Add($"--log {log}");
        });
}
