using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j MARK --set-xmark</c>: the mark becomes <c>(mark &amp; ~Mask) ^ Value</c>.</summary>
public sealed record MarkTarget(uint Value, uint Mask) : IptablesTarget
{
    // struct xt_mark_tginfo2 (xt_mark.h): | mark u32 | mask u32 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, MarkTarget>(
        "MARK", 2, 8,
        static (info, in _) => new MarkTarget(info.U32(0), info.U32(4)),
        static (target, info, in _) =>
        {
            info.Put(0, target.Value);
            info.Put(4, target.Mask);
        },
        static (target, text) => text.Add($"--set-xmark 0x{target.Value:x}/0x{target.Mask:x}")) { IsExact = true };

    /// <summary><c>--or-mark</c>.</summary>
    public static MarkTarget Or(uint bits) => new(bits, bits);

    /// <summary><c>--xor-mark</c>.</summary>
    public static MarkTarget Xor(uint bits) => new(bits, 0);
}
