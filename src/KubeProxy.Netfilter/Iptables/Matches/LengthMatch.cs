using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m length</c>: the length of the packet, from the network header on.</summary>
/// <param name="First">The least.</param>
/// <param name="Last">The most.</param>
/// <param name="Negated">Outside of that.</param>
public sealed record LengthMatch(ushort First, ushort Last, bool Negated = false) : IptablesMatch
{
    // struct xt_length_info (xt_length.h): | min u16 | max u16 | invert u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, LengthMatch>(
        "length", 0, 8,
        static (info, in _) => new LengthMatch(info.U16(0), info.U16(2), info[4] != 0),
        static (match, info, in _) =>
        {
            info.Put(0, match.First);
            info.Put(2, match.Last);
            info.Put(4, match.Negated);
        },
        static (match, text) => text.AddRange("--length", match.Negated, match.First, match.Last));
}
