using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m quota</c>: true until so many bytes have come.</summary>
/// <param name="Bytes">How many.</param>
/// <param name="Negated">True after that.</param>
public sealed record QuotaMatch(ulong Bytes, bool Negated = false) : IptablesMatch
{
    // struct xt_quota_info (xt_quota.h): | flags u32 | padding | quota u64 | pointer |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, QuotaMatch>(
        "quota", 0, 24,
        static (info, in _) => new QuotaMatch(info.U64(8), info.U32(0) != 0),
        static (match, info, in _) =>
        {
            info.Put(0, match.Negated ? 1u : 0);
            info.Put(8, match.Bytes);
        },
        static (match, text) => text.Not(match.Negated).Add($"--quota {match.Bytes}"));
}
