using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j TEE</c>: sends a copy of the packet to another host.</summary>
/// <param name="Gateway">The host.</param>
/// <param name="OutputInterface">By this interface, at most 15 bytes; empty for that of the route.</param>
public sealed record TeeTarget(IpAddr Gateway, string OutputInterface = "") : IptablesTarget
{
    private const int NameSize = 16;

    // struct xt_tee_tginfo (xt_TEE.h): | gw 16 | oif char[16] | pointer |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, TeeTarget>(
        "TEE", 1, 40,
        static (info, in context) => info.Text(16, NameSize) is { } name ? new TeeTarget(info.Address(0, context.Family), name) : null,
        static (target, info, in context) =>
        {
            info.Put(0, target.Gateway, context.Family);
            info.Put(16, NameSize, target.OutputInterface);
        },
        static (target, text) =>
        {
            text.Add("--gateway", target.Gateway);
            if (target.OutputInterface.Length > 0) text.Add($"--oif {target.OutputInterface}");
        });
}
