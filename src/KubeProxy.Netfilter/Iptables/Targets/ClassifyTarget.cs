using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j CLASSIFY</c>: the class of the packet for queueing.</summary>
/// <param name="Major">The upper half.</param>
/// <param name="Minor">The lower half.</param>
public sealed record ClassifyTarget(ushort Major, ushort Minor) : IptablesTarget
{
    // struct xt_classify_target_info (xt_CLASSIFY.h): | priority u32 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, ClassifyTarget>(
        "CLASSIFY", 0, 8,
        static (info, in _) => new ClassifyTarget((ushort)(info.U32(0) >> 16), (ushort)info.U32(0)),
        static (target, info, in _) => info.Put(0, ((uint)target.Major << 16) | target.Minor),
        static (target, text) => text.Add($"--set-class {target.Major:x4}:{target.Minor:x4}"));
}
