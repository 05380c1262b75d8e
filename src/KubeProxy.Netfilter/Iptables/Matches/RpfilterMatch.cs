using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>How <see cref="RpfilterMatch"/> looks (<c>XT_RPFILTER_*</c>).</summary>
[Flags]
public enum RpfilterFlags : byte
{
    /// <summary>The reply would go out of the interface that the packet came in by.</summary>
    None = 0,

    /// <summary><c>--loose</c>: by any interface.</summary>
    Loose = 1, // XT_RPFILTER_LOOSE

    /// <summary><c>--validmark</c>: with the packet's mark.</summary>
    ValidMark = 2, // XT_RPFILTER_VALID_MARK

    /// <summary><c>--accept-local</c>: also from addresses of this host.</summary>
    AcceptLocal = 4, // XT_RPFILTER_ACCEPT_LOCAL

    /// <summary><c>--invert</c>: the other way round.</summary>
    Invert = 8, // XT_RPFILTER_INVERT
}

/// <summary><c>-m rpfilter</c>: whether there is a route back to the source.</summary>
/// <param name="Flags">How it looks.</param>
public sealed record RpfilterMatch(RpfilterFlags Flags = RpfilterFlags.None) : IptablesMatch
{
    // struct xt_rpfilter_info (xt_rpfilter.h): | flags u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, RpfilterMatch>(
        "rpfilter", 0, 8,
        static (info, in _) => info[0] < 16 ? new RpfilterMatch((RpfilterFlags)info[0]) : null,
        static (match, info, in _) => info[0] = (byte)match.Flags,
        static (match, text) => text.If(match.Flags.HasFlag(RpfilterFlags.Loose), "--loose").If(match.Flags.HasFlag(RpfilterFlags.ValidMark), "--validmark")
            .If(match.Flags.HasFlag(RpfilterFlags.AcceptLocal), "--accept-local").If(match.Flags.HasFlag(RpfilterFlags.Invert), "--invert"));
}
