using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j TCPMSS</c>: sets the maximum segment size that a SYN tells.</summary>
/// <param name="Size">The size; null for what fits the path (<c>--clamp-mss-to-pmtu</c>).</param>
public sealed record TcpMssTarget(ushort? Size = null) : IptablesTarget
{
    private const ushort Clamp = 0xFFFF; // XT_TCPMSS_CLAMP_PMTU

    // struct xt_tcpmss_info (xt_TCPMSS.h): | mss u16 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, TcpMssTarget>(
        "TCPMSS", 0, 8,
        static (info, in _) => new TcpMssTarget(info.U16(0) == Clamp ? null : info.U16(0)),
        static (target, info, in _) => info.Put(0, target.Size ?? Clamp),
        static (target, text) => text.Add(target.Size is { } size ? $"--set-mss {size}" : "--clamp-mss-to-pmtu"));
}
