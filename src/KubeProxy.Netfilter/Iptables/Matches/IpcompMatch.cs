using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m ipcomp</c>: compressed payload (RFC 3173).</summary>
/// <param name="Spis">The compression parameter index.</param>
/// <param name="Reserved">The reserved field must be zero.</param>
public sealed record IpcompMatch(IdRange Spis, bool Reserved = false) : IptablesMatch
{
    // struct xt_ipcomp (xt_ipcomp.h): | spis u32[2] | invflags u8 | hdrres u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, IpcompMatch>(
        "ipcomp", 0, 16,
        static (info, in _) => new IpcompMatch(SpiText.Read(info, 0, info[8] != 0), info[9] != 0),
        static (match, info, in _) =>
        {
            SpiText.Write(match.Spis, info, 0);
            info.Put(8, match.Spis.Negated);
            info.Put(9, match.Reserved);
        },
        static (match, text) =>
        {
            SpiText.Print("--ipcompspi", match.Spis, text);
            text.If(match.Reserved, "--compres");
        });
}
