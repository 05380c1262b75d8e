using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>Options that <see cref="SynproxyTarget"/> tells clients (<c>XT_SYNPROXY_OPT_*</c>).</summary>
[Flags]
public enum SynproxyOptions : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The segment size.</summary>
    Mss = 1, // XT_SYNPROXY_OPT_MSS

    /// <summary>The window scale.</summary>
    WindowScale = 2, // XT_SYNPROXY_OPT_WSCALE

    /// <summary>Selective acknowledgements.</summary>
    SackPermitted = 4, // XT_SYNPROXY_OPT_SACK_PERM

    /// <summary>Timestamps.</summary>
    Timestamp = 8, // XT_SYNPROXY_OPT_TIMESTAMP

    /// <summary>ECN.</summary>
    Ecn = 16, // XT_SYNPROXY_OPT_ECN
}

/// <summary><c>-j SYNPROXY</c>: answers SYN packets in place of the server.</summary>
/// <param name="Options">What is told.</param>
/// <param name="WindowScale">The window scale.</param>
/// <param name="Mss">The segment size.</param>
public sealed record SynproxyTarget(SynproxyOptions Options, byte WindowScale = 0, ushort Mss = 0) : IptablesTarget
{
    // struct xt_synproxy_info (nf_synproxy.h): | options u8 | wscale u8 | mss u16 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, SynproxyTarget>(
        "SYNPROXY", 0, 8,
        static (info, in _) => new SynproxyTarget((SynproxyOptions)info[0], info[1], info.U16(2)),
        static (target, info, in _) =>
        {
            (info[0], info[1]) = ((byte)target.Options, target.WindowScale);
            info.Put(2, target.Mss);
        },
        static (target, text) =>
        {
            text.If(target.Options.HasFlag(SynproxyOptions.SackPermitted), "--sack-perm").If(target.Options.HasFlag(SynproxyOptions.Timestamp), "--timestamp");
            if (target.Options.HasFlag(SynproxyOptions.WindowScale)) text.Add($"--wscale {target.WindowScale}");
            if (target.Options.HasFlag(SynproxyOptions.Mss)) text.Add($"--mss {target.Mss}");
            text.If(target.Options.HasFlag(SynproxyOptions.Ecn), "--ecn");
        });
}
