using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j REDIRECT</c>: the destination becomes this host.</summary>
/// <param name="To">The new ports; it has no addresses.</param>
public sealed record RedirectTarget(NatRange To) : IptablesTarget
{
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, RedirectTarget>(
        "REDIRECT", 0, NatRange.Size4, static (info, in context) => NatRange.Read4(info, context) is { } range ? new RedirectTarget(range) : null,
        static (target, info, in context) => NatRange.Write4(target.To, info, context), Print) { Family = IpFamily.IPv4 };

    internal static XtCodec<IptablesTarget> CodecV6 { get; } = new XtCodec<IptablesTarget, RedirectTarget>(
        "REDIRECT", 0, NatRange.Size, static (info, in context) => new RedirectTarget(NatRange.Read(info, context)),
        static (target, info, in context) => NatRange.Write(target.To, info, context), Print) { Family = IpFamily.IPv6 };

    private static void Print(RedirectTarget target, IptablesArguments text) => target.To.Print("--to-ports", false, text);
}
