using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m connlimit</c>: the number of connections of a network.</summary>
/// <param name="Limit">The number.</param>
/// <param name="PrefixLength">The size of the networks that are counted: 0 to 32, or to 128.</param>
/// <param name="UpTo">True up to the number, instead of above it.</param>
/// <param name="ByDestination">Destination addresses are counted, instead of sources.</param>
public sealed record ConnlimitMatch(uint Limit, int PrefixLength, bool UpTo = false, bool ByDestination = false) : IptablesMatch
{
    private const uint Inverted = 1; // XT_CONNLIMIT_INVERT
    private const uint Destination = 2; // XT_CONNLIMIT_DADDR

    // struct xt_connlimit_info (xt_connlimit.h): | mask 16 bytes | limit u32 | flags u32 | pointer |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, ConnlimitMatch>("connlimit", 1, 32, Read, Write, Print) { IsExact = true };

    private static ConnlimitMatch? Read(ReadOnlySpan<byte> info, in XtContext context) => info.U32(20) <= (Inverted | Destination) && info.Prefix(0, context.Family) is { } length
        ? new ConnlimitMatch(info.U32(16), length, (info.U32(20) & Inverted) != 0, (info.U32(20) & Destination) != 0) : null;

    private static void Write(ConnlimitMatch match, Span<byte> info, in XtContext context)
    {
        if (match.PrefixLength < 0 || match.PrefixLength > (context.Family == IpFamily.IPv4 ? 32 : 128)) throw new ArgumentException("No such prefix.", nameof(match));
        info.PutMask(0, match.PrefixLength, context.Family);
        info.Put(16, match.Limit);
        info.Put(20, (match.UpTo ? Inverted : 0) | (match.ByDestination ? Destination : 0));
    }

    private static void Print(ConnlimitMatch match, IptablesArguments text) => text.Add(match.UpTo ? $"--connlimit-upto {match.Limit}" : $"--connlimit-above {match.Limit}")
        .Add($"--connlimit-mask {match.PrefixLength}").Add(match.ByDestination ? "--connlimit-daddr" : "--connlimit-saddr");
}
