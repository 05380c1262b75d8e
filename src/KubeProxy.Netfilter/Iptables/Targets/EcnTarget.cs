using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j ECN</c>: sets bits of explicit congestion notification (RFC 3168). Null leaves them.</summary>
public sealed record EcnTarget : IptablesTarget
{
    private const byte SetCodepoint = 1; // IPT_ECN_OP_SET_IP
    private const byte SetEcho = 0x10; // IPT_ECN_OP_SET_ECE
    private const byte SetReduced = 0x20; // IPT_ECN_OP_SET_CWR

    /// <summary>ECE of the TCP header, 0 or 1.</summary>
    public byte? TcpEcho { get; init; }

    /// <summary>CWR of the TCP header, 0 or 1.</summary>
    public byte? TcpReduced { get; init; }

    /// <summary>The code point of the IP header, 0 to 3.</summary>
    public byte? Codepoint { get; init; }

    // struct ipt_ECN_info (ipt_ECN.h): | operation u8 | ip_ect u8 | ece : 1, cwr : 1 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, EcnTarget>(
        "ECN", 0, 8,
        static (info, in _) => new EcnTarget
        {
            TcpEcho = (info[0] & SetEcho) == 0 ? null : (byte)(info[2] & 1), TcpReduced = (info[0] & SetReduced) == 0 ? null : (byte)((info[2] >> 1) & 1),
            Codepoint = (info[0] & SetCodepoint) == 0 ? null : info[1],
        },
        static (target, info, in _) =>
        {
            info[0] = (byte)((target.TcpEcho is null ? 0 : SetEcho) | (target.TcpReduced is null ? 0 : SetReduced) | (target.Codepoint is null ? 0 : SetCodepoint));
            info[1] = target.Codepoint ?? 0;
            info[2] = (byte)(((target.TcpEcho ?? 0) & 1) | (((target.TcpReduced ?? 0) & 1) << 1));
        },
        static (target, text) =>
        {
            if (target is { TcpEcho: 0, TcpReduced: 0, Codepoint: null })
            {
                text.Add("--ecn-tcp-remove");
                return;
            }

            if (target.TcpEcho is { } echo) text.Add($"--ecn-tcp-ece {echo}");
            if (target.TcpReduced is { } reduced) text.Add($"--ecn-tcp-cwr {reduced}");
            if (target.Codepoint is { } codepoint) text.Add($"--ecn-ip-ect {codepoint}");
        }) { Family = IpFamily.IPv4 };
}
