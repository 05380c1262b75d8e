using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m realm</c>: the realm of the route, under a mask.</summary>
/// <param name="Value">The realm.</param>
/// <param name="Mask">The mask.</param>
/// <param name="Negated">Not so.</param>
public sealed record RealmMatch(uint Value, uint Mask = uint.MaxValue, bool Negated = false) : IptablesMatch
{
    // struct xt_realm_info (xt_realm.h): | id u32 | mask u32 | invert u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, RealmMatch>(
        "realm", 0, 16,
        static (info, in _) => new RealmMatch(info.U32(0), info.U32(4), info[8] != 0),
        static (match, info, in _) =>
        {
            info.Put(0, match.Value);
            info.Put(4, match.Mask);
            info.Put(8, match.Negated);
        },
        static (match, text) => text.Not(match.Negated).Add($"--realm {IptablesArguments.Mark(match.Value, match.Mask)}"));
}
