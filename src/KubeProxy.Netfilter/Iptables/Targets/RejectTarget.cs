using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>What the sender of a rejected packet is told. Each is of IPv4, of IPv6 or of both.</summary>
public enum RejectAnswer : byte
{
    /// <summary>The port is unreachable: what is told by default.</summary>
    PortUnreachable,

    /// <summary>A TCP reset.</summary>
    TcpReset,

    /// <summary>The address is unreachable: of the host in IPv4.</summary>
    AddressUnreachable,

    /// <summary>The administrator forbids it.</summary>
    AdminProhibited,

    /// <summary>There is no route: the network is unreachable in IPv4.</summary>
    NoRoute,

    /// <summary>IPv4: the protocol is unreachable.</summary>
    ProtocolUnreachable,

    /// <summary>IPv4: the network is forbidden.</summary>
    NetProhibited,

    /// <summary>IPv4: the host is forbidden.</summary>
    HostProhibited,

    /// <summary>IPv6: a policy forbids it.</summary>
    PolicyFail,

    /// <summary>IPv6: the route is a rejecting one.</summary>
    RejectRoute,
}

/// <summary><c>-j REJECT</c>.</summary>
/// <param name="With">The answer.</param>
public sealed record RejectTarget(RejectAnswer With = RejectAnswer.PortUnreachable) : IptablesTarget
{
    // enum ipt_reject_with (ipt_REJECT.h).
    private static readonly (RejectAnswer Answer, uint Number, string Name)[] Answers =
    [
        (RejectAnswer.NoRoute, 0, "icmp-net-unreachable"), (RejectAnswer.AddressUnreachable, 1, "icmp-host-unreachable"),
        (RejectAnswer.ProtocolUnreachable, 2, "icmp-proto-unreachable"), (RejectAnswer.PortUnreachable, 3, "icmp-port-unreachable"),
        (RejectAnswer.NetProhibited, 5, "icmp-net-prohibited"), (RejectAnswer.HostProhibited, 6, "icmp-host-prohibited"), (RejectAnswer.TcpReset, 7, "tcp-reset"),
        (RejectAnswer.AdminProhibited, 8, "icmp-admin-prohibited"),
    ];

    // enum ip6t_reject_with (ip6t_REJECT.h).
    private static readonly (RejectAnswer Answer, uint Number, string Name)[] AnswersV6 =
    [
        (RejectAnswer.NoRoute, 0, "icmp6-no-route"), (RejectAnswer.AdminProhibited, 1, "icmp6-adm-prohibited"), (RejectAnswer.AddressUnreachable, 3, "icmp6-addr-unreachable"),
        (RejectAnswer.PortUnreachable, 4, "icmp6-port-unreachable"), (RejectAnswer.TcpReset, 6, "tcp-reset"), (RejectAnswer.PolicyFail, 7, "icmp6-policy-fail"),
        (RejectAnswer.RejectRoute, 8, "icmp6-reject-route"),
    ];

    // struct ipt_reject_info, struct ip6t_reject_info: | with u32 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, RejectTarget>("REJECT", 0, 8, Read, Write, Print) { Family = IpFamily.IPv4, IsExact = true };

    internal static XtCodec<IptablesTarget> CodecV6 { get; } = new XtCodec<IptablesTarget, RejectTarget>("REJECT", 0, 8, Read, Write, Print) { Family = IpFamily.IPv6, IsExact = true };

    private static RejectTarget? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var number = info.U32(0);
        foreach (var answer in Of(context.Family))
            if (answer.Number == number) return new RejectTarget(answer.Answer);
        return null;
    }

    private static void Write(RejectTarget target, Span<byte> info, in XtContext context) =>
        info.Put(0, (Find(target, context.Family) ?? throw new ArgumentException($"{context.Family} has no {target.With}.", nameof(target))).Number);

    private static void Print(RejectTarget target, IptablesArguments text) => text.Add($"--reject-with {Find(target, text.Family)?.Name ?? target.With.ToString()}");

    private static (RejectAnswer Answer, uint Number, string Name)[] Of(IpFamily family) => family == IpFamily.IPv4 ? Answers : AnswersV6;

    private static (RejectAnswer Answer, uint Number, string Name)? Find(RejectTarget target, IpFamily family)
    {
        foreach (var answer in Of(family))
            if (answer.Answer == target.With) return answer;
        return null;
    }
}
