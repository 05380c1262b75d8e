using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j TOS --set-tos</c>: the type of service becomes <c>(tos &amp; ~Mask) ^ Value</c>.</summary>
/// <param name="Value">The value.</param>
/// <param name="Mask">The mask.</param>
public sealed record TosTarget(byte Value, byte Mask = byte.MaxValue) : IptablesTarget
{
    // struct xt_tos_target_info (xt_DSCP.h): | tos_value u8 | tos_mask u8 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, TosTarget>(
        "TOS", 1, 8,
        static (info, in _) => new TosTarget(info[0], info[1]),
        static (target, info, in _) => (info[0], info[1]) = (target.Value, target.Mask),
        static (target, text) => text.Add($"--set-tos 0x{target.Value:x2}/0x{target.Mask:x2}"));
}
