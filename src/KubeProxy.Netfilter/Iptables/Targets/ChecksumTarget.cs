using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j CHECKSUM --checksum-fill</c>: computes the checksum of a packet that has none yet.</summary>
public sealed record ChecksumTarget : IptablesTarget
{
    // struct xt_CHECKSUM_info (xt_CHECKSUM.h): | operation u8 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, ChecksumTarget>(
        "CHECKSUM", 0, 8, static (_, in _) => new ChecksumTarget(), static (_, info, in _) => info[0] = 1, static (_, text) => text.Add("--checksum-fill"));
}
