using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>How <see cref="TtlMatch"/> compares (<c>IPT_TTL_*</c>, <c>IP6T_HL_*</c>).</summary>
public enum TtlOperator : byte
{
    /// <summary>The same.</summary>
    Equal = 0, // IPT_TTL_EQ

    /// <summary>Another.</summary>
    NotEqual = 1, // IPT_TTL_NE

    /// <summary>Less.</summary>
    Less = 2, // IPT_TTL_LT

    /// <summary>Greater.</summary>
    Greater = 3, // IPT_TTL_GT
}

/// <summary><c>-m ttl</c> of IPv4 and <c>-m hl</c> of IPv6: how many hops the packet may go.</summary>
/// <param name="Operator">How it is compared.</param>
/// <param name="Value">With what.</param>
public sealed record TtlMatch(TtlOperator Operator, byte Value) : IptablesMatch
{
    private static readonly string[] Options = ["eq", "eq", "lt", "gt"];

    // struct ipt_ttl_info (ipt_ttl.h), struct ip6t_hl_info (ip6t_hl.h): | mode u8 | ttl u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, TtlMatch>("ttl", 0, 8, Read, Write, Print) { Family = IpFamily.IPv4 };

    internal static XtCodec<IptablesMatch> CodecV6 { get; } = new XtCodec<IptablesMatch, TtlMatch>("hl", 0, 8, Read, Write, Print) { Family = IpFamily.IPv6 };

    private static TtlMatch? Read(ReadOnlySpan<byte> info, in XtContext context) => info[0] < 4 ? new TtlMatch((TtlOperator)info[0], info[1]) : null;

    private static void Write(TtlMatch match, Span<byte> info, in XtContext context) => (info[0], info[1]) = ((byte)match.Operator, match.Value);

    private static void Print(TtlMatch match, IptablesArguments text) => text.Not(match.Operator == TtlOperator.NotEqual)
        .Add($"{(text.Family == IpFamily.IPv4 ? "--ttl" : "--hl")}-{Options[(int)match.Operator & 3]} {match.Value}");
}
