using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j DSCP --set-dscp</c>: sets the differentiated services code point (RFC 2474).</summary>
/// <param name="Value">0 to 63.</param>
public sealed record DscpTarget(byte Value) : IptablesTarget
{
    // struct xt_DSCP_info (xt_DSCP.h): | dscp u8 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, DscpTarget>(
        "DSCP", 0, 8, static (info, in _) => new DscpTarget(info[0]), static (target, info, in _) => info[0] = target.Value,
        static (target, text) => text.Add($"--set-dscp 0x{target.Value:x2}"));
}
