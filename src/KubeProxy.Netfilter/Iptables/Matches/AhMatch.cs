using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m ah</c>: the authentication header (RFC 4302).</summary>
/// <param name="Spis">The security parameters index.</param>
public sealed record AhMatch(IdRange Spis) : IptablesMatch
{
    /// <summary>IPv6 only: the length of the header; 0 for any.</summary>
    public uint Length { get; init; }

    /// <summary>Not this length.</summary>
    public bool LengthNegated { get; init; }

    /// <summary>IPv6 only: the reserved field must be zero.</summary>
    public bool Reserved { get; init; }

    // struct ipt_ah (ipt_ah.h): | spis u32[2] | invflags u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, AhMatch>(
        "ah", 0, 16,
        static (info, in _) => new AhMatch(SpiText.Read(info, 0, (info[8] & 1) != 0)),
        static (match, info, in _) =>
        {
            SpiText.Write(match.Spis, info, 0);
            info.Put(8, match.Spis.Negated);
        },
        Print) { Family = IpFamily.IPv4 };

    // struct ip6t_ah (ip6t_ah.h): | spis u32[2] | hdrlen u32 | hdrres u8 | invflags u8 |
    internal static XtCodec<IptablesMatch> CodecV6 { get; } = new XtCodec<IptablesMatch, AhMatch>(
        "ah", 0, 16,
        static (info, in _) => new AhMatch(SpiText.Read(info, 0, (info[13] & 1) != 0)) { Length = info.U32(8), LengthNegated = (info[13] & 2) != 0, Reserved = info[12] != 0 },
        static (match, info, in _) =>
        {
            SpiText.Write(match.Spis, info, 0);
            info.Put(8, match.Length);
            info.Put(12, match.Reserved);
            info[13] = (byte)((match.Spis.Negated ? 1 : 0) | (match.LengthNegated ? 2 : 0));
        },
        Print) { Family = IpFamily.IPv6 };

    private static void Print(AhMatch match, IptablesArguments text)
    {
        SpiText.Print("--ahspi", match.Spis, text);
        if (match.Length != 0 || match.LengthNegated) text.Not(match.LengthNegated).Add($"--ahlen {match.Length}");
        text.If(match.Reserved, "--ahres");
    }
}
