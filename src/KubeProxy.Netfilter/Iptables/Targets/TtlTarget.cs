using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>What <see cref="TtlTarget"/> does (<c>IPT_TTL_*</c>, <c>IP6T_HL_*</c>).</summary>
public enum TtlAction : byte
{
    /// <summary>Sets it.</summary>
    Set = 0, // IPT_TTL_SET

    /// <summary>Adds to it.</summary>
    Increase = 1, // IPT_TTL_INC

    /// <summary>Takes from it.</summary>
    Decrease = 2, // IPT_TTL_DEC
}

/// <summary><c>-j TTL</c> of IPv4 and <c>-j HL</c> of IPv6: changes how many hops the packet may go.</summary>
/// <param name="Action">What it does.</param>
/// <param name="Value">To, or by, how much.</param>
public sealed record TtlTarget(TtlAction Action, byte Value) : IptablesTarget
{
    private static readonly string[] Options = ["set", "inc", "dec"];

    // struct ipt_TTL_info (ipt_TTL.h), struct ip6t_HL_info (ip6t_HL.h): | mode u8 | ttl u8 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, TtlTarget>("TTL", 0, 8, Read, Write, Print) { Family = IpFamily.IPv4 };

    internal static XtCodec<IptablesTarget> CodecV6 { get; } = new XtCodec<IptablesTarget, TtlTarget>("HL", 0, 8, Read, Write, Print) { Family = IpFamily.IPv6 };

    private static TtlTarget? Read(ReadOnlySpan<byte> info, in XtContext context) => info[0] < Options.Length ? new TtlTarget((TtlAction)info[0], info[1]) : null;

    private static void Write(TtlTarget target, Span<byte> info, in XtContext context) => (info[0], info[1]) = ((byte)target.Action, target.Value);

    private static void Print(TtlTarget target, IptablesArguments text) =>
        text.Add($"{(text.Family == IpFamily.IPv4 ? "--ttl" : "--hl")}-{Options[(int)target.Action % Options.Length]} {target.Value}");
}
