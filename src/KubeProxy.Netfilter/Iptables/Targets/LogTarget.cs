using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>What a line of <see cref="LogTarget"/> has more (<c>XT_LOG_*</c>).</summary>
[Flags]
public enum LogTargetFlags : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><c>--log-tcp-sequence</c>.</summary>
    TcpSequence = 1, // XT_LOG_TCPSEQ

    /// <summary><c>--log-tcp-options</c>.</summary>
    TcpOptions = 2, // XT_LOG_TCPOPT

    /// <summary><c>--log-ip-options</c>.</summary>
    IpOptions = 4, // XT_LOG_IPOPT

    /// <summary><c>--log-uid</c>.</summary>
    Uid = 8, // XT_LOG_UID

    /// <summary><c>--log-macdecode</c>.</summary>
    MacDecode = 32, // XT_LOG_MACDECODE
}

/// <summary><c>-j LOG</c>: a line in the kernel's log.</summary>
/// <param name="Prefix">What it begins with, at most 29 bytes.</param>
/// <param name="Level">0 emergency to 7 debug.</param>
/// <param name="Flags">What it has more.</param>
public sealed record LogTarget(string Prefix = "", byte Level = LogTarget.DefaultLevel, LogTargetFlags Flags = LogTargetFlags.None) : IptablesTarget
{
    /// <summary>The level where none is given: warning.</summary>
    public const byte DefaultLevel = 4;

    private const int PrefixSize = 30;

    // struct xt_log_info (xt_LOG.h): | level u8 | logflags u8 | prefix char[30] |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, LogTarget>("LOG", 0, 32, Read, Write, Print);

    private static LogTarget? Read(ReadOnlySpan<byte> info, in XtContext context) =>
        info.Text(2, PrefixSize) is { } prefix ? new LogTarget(prefix, info[0], (LogTargetFlags)info[1]) : null;

    private static void Write(LogTarget target, Span<byte> info, in XtContext context)
    {
        (info[0], info[1]) = (target.Level, (byte)target.Flags);
        info.Put(2, PrefixSize, target.Prefix);
    }

    private static void Print(LogTarget target, IptablesArguments text)
    {
        if (target.Prefix.Length > 0) text.AddQuoted("--log-prefix", target.Prefix);
        if (target.Level != DefaultLevel) text.Add($"--log-level {target.Level}");
        text.If(target.Flags.HasFlag(LogTargetFlags.TcpSequence), "--log-tcp-sequence").If(target.Flags.HasFlag(LogTargetFlags.TcpOptions), "--log-tcp-options")
            .If(target.Flags.HasFlag(LogTargetFlags.IpOptions), "--log-ip-options").If(target.Flags.HasFlag(LogTargetFlags.Uid), "--log-uid")
            .If(target.Flags.HasFlag(LogTargetFlags.MacDecode), "--log-macdecode");
    }
}
