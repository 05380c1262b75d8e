using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j SNAT</c>: the source becomes another.</summary>
/// <param name="To">The new source.</param>
public sealed record SnatTarget(NatRange To) : IptablesTarget
{
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, SnatTarget>(
        "SNAT", 0, NatRange.Size4, static (info, in context) => NatRange.Read4(info, context) is { } range ? new SnatTarget(range) : null,
        static (target, info, in context) => NatRange.Write4(target.To, info, context), Print) { Family = IpFamily.IPv4 };

    internal static XtCodec<IptablesTarget> CodecV6 { get; } = new XtCodec<IptablesTarget, SnatTarget>(
        "SNAT", 1, NatRange.Size, static (info, in context) => new SnatTarget(NatRange.Read(info, context)),
        static (target, info, in context) => NatRange.Write(target.To, info, context), Print) { Family = IpFamily.IPv6 };

    private static void Print(SnatTarget target, IptablesArguments text) => target.To.Print("--to-source", true, text);
}
