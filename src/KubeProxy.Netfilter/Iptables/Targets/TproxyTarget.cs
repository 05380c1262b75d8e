using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j TPROXY</c>: gives the packet to a transparent socket of this host.</summary>
/// <param name="Port">The socket's port; 0 for that of the packet.</param>
/// <param name="Address">The socket's address; unspecified for that of the input interface.</param>
/// <param name="Mark">The mark that the packet gets under the mask.</param>
/// <param name="MarkMask">The mask.</param>
public sealed record TproxyTarget(ushort Port, IpAddr Address, uint Mark = 0, uint MarkMask = 0) : IptablesTarget
{
    // struct xt_tproxy_target_info_v1 (xt_TPROXY.h): | mark_mask u32 | mark_value u32 | laddr 16 | lport be16 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, TproxyTarget>(
        "TPROXY", 1, 32,
        static (info, in context) => new TproxyTarget(info.Be16(24), info.Address(8, context.Family), info.U32(4), info.U32(0)),
        static (target, info, in context) =>
        {
            info.Put(0, target.MarkMask);
            info.Put(4, target.Mark);
            info.Put(8, target.Address, context.Family);
            info.PutBe(24, target.Port);
        },
        static (target, text) => text.Add($"--on-port {target.Port}").Add("--on-ip", target.Address).Add($"--tproxy-mark 0x{target.Mark:x}/0x{target.MarkMask:x}"));
}
