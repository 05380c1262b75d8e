using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-j MASQUERADE</c>.</summary>
/// <param name="RandomFully"><c>--random-fully</c>.</param>
public sealed record MasqueradeTarget(bool RandomFully) : IptablesTarget
{
    /// <summary><c>--random</c>.</summary>
    public bool Random { get; init; }

    /// <summary>The ports (<c>--to-ports</c>); null for any. Whether they are negated does not count.</summary>
    public PortRange? Ports { get; init; }

    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, MasqueradeTarget>(
        "MASQUERADE", 0, NatRange.Size4,
        static (info, in context) => NatRange.Read4(info, context) is { } range ? Of(range) : null,
        static (target, info, in context) => NatRange.Write4(target.Range, info, context), Print) { Family = IpFamily.IPv4 };

    internal static XtCodec<IptablesTarget> CodecV6 { get; } = new XtCodec<IptablesTarget, MasqueradeTarget>(
        "MASQUERADE", 0, NatRange.Size,
        static (info, in context) => Of(NatRange.Read(info, context)),
        static (target, info, in context) => NatRange.Write(target.Range, info, context), Print) { Family = IpFamily.IPv6 };

    private NatRange Range => new()
    {
        FirstPort = Ports?.First, LastPort = Ports is null || Ports.Last == Ports.First ? null : Ports.Last,
        Flags = (Random ? NatFlags.Random : 0) | (RandomFully ? NatFlags.RandomFully : 0),
    };

    private static MasqueradeTarget? Of(NatRange range) =>
        range.First is not null || range.BasePort is not null || (range.Flags & ~(NatFlags.Random | NatFlags.RandomFully)) != 0 ? null
        : new MasqueradeTarget(range.Flags.HasFlag(NatFlags.RandomFully))
        {
            Random = range.Flags.HasFlag(NatFlags.Random), Ports = range.FirstPort is { } first ? new PortRange(first, range.LastPort ?? first) : null,
        };

    private static void Print(MasqueradeTarget target, IptablesArguments text) => target.Range.Print("--to-ports", false, text);
}
