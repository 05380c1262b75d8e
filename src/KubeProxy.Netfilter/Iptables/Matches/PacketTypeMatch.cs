using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m pkttype</c>: to whom the frame was addressed (<c>PACKET_*</c> in <c>linux/if_packet.h</c>).</summary>
/// <param name="Type">0 this host, 1 broadcast, 2 multicast, 3 another host.</param>
/// <param name="Negated">Not so.</param>
public sealed record PacketTypeMatch(uint Type, bool Negated = false) : IptablesMatch
{
    // struct xt_pkttype_info (xt_pkttype.h): | pkttype int | invert int |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, PacketTypeMatch>(
        "pkttype", 0, 8,
        static (info, in _) => new PacketTypeMatch(info.U32(0), info.U32(4) != 0),
        static (match, info, in _) =>
        {
            info.Put(0, match.Type);
            info.Put(4, match.Negated ? 1u : 0);
        },
        static (match, text) => text.Not(match.Negated)
            .Add($"--pkt-type {match.Type switch { 0 => "unicast", 1 => "broadcast", 2 => "multicast", var other => $"{(int)other}" }}"));
}
