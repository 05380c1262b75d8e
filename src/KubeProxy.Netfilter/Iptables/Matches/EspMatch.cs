using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m esp</c>: the encapsulating security payload (RFC 4303).</summary>
/// <param name="Spis">The security parameters index.</param>
public sealed record EspMatch(IdRange Spis) : IptablesMatch
{
    // struct xt_esp (xt_esp.h): | spis u32[2] | invflags u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, EspMatch>(
        "esp", 0, 16,
        static (info, in _) => new EspMatch(SpiText.Read(info, 0, info[8] != 0)),
        static (match, info, in _) =>
        {
            SpiText.Write(match.Spis, info, 0);
            info.Put(8, match.Spis.Negated);
        },
        static (match, text) => SpiText.Print("--espspi", match.Spis, text));
}
