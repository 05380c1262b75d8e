using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m ecn</c>: explicit congestion notification (RFC 3168). Null is any.</summary>
public sealed record EcnMatch : IptablesMatch
{
    private const byte HasCodepoint = 1; // XT_ECN_OP_MATCH_IP
    private const byte HasEcho = 0x10; // XT_ECN_OP_MATCH_ECE
    private const byte HasReduced = 0x20; // XT_ECN_OP_MATCH_CWR

    /// <summary>Whether the TCP header has ECE.</summary>
    public bool? TcpEcho { get; init; }

    /// <summary>Whether the TCP header has CWR.</summary>
    public bool? TcpReduced { get; init; }

    /// <summary>The code point of the IP header, 0 to 3.</summary>
    public byte? Codepoint { get; init; }

    /// <summary>Not this code point.</summary>
    public bool CodepointNegated { get; init; }

    // struct xt_ecn_info (xt_ecn.h): | operation u8 | invert u8 | ip_ect u8 | tcp.ect u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, EcnMatch>(
        "ecn", 0, 8,
        static (info, in _) => new EcnMatch
        {
            TcpEcho = (info[0] & HasEcho) == 0 ? null : (info[1] & HasEcho) == 0,
            TcpReduced = (info[0] & HasReduced) == 0 ? null : (info[1] & HasReduced) == 0,
            Codepoint = (info[0] & HasCodepoint) == 0 ? null : info[2],
            CodepointNegated = (info[1] & HasCodepoint) != 0,
        },
        static (match, info, in _) =>
        {
            info[0] = (byte)((match.TcpEcho is null ? 0 : HasEcho) | (match.TcpReduced is null ? 0 : HasReduced) | (match.Codepoint is null ? 0 : HasCodepoint));
            info[1] = (byte)((match.TcpEcho is false ? HasEcho : 0) | (match.TcpReduced is false ? HasReduced : 0) | (match.CodepointNegated ? HasCodepoint : 0));
            info[2] = match.Codepoint ?? 0;
        },
        static (match, text) =>
        {
            if (match.TcpEcho is { } echo) text.Not(!echo).Add("--ecn-tcp-ece");
            if (match.TcpReduced is { } reduced) text.Not(!reduced).Add("--ecn-tcp-cwr");
            if (match.Codepoint is { } codepoint) text.Not(match.CodepointNegated).Add($"--ecn-ip-ect {codepoint}");
        });
}
