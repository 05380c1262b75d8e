using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m mac --mac-source</c>: the source address of the Ethernet frame.</summary>
/// <param name="Address">The address: 48 bits, the first byte highest.</param>
/// <param name="Negated">Not this one.</param>
public sealed record MacMatch(ulong Address, bool Negated = false) : IptablesMatch
{
    // struct xt_mac_info (xt_mac.h): | srcaddr 6 bytes | padding | invert int |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, MacMatch>("mac", 0, 16, Read, Write, Print);

    private static MacMatch Read(ReadOnlySpan<byte> info, in XtContext context) => new(((ulong)info.Be16(0) << 32) | info.Be32(2), info.U32(8) != 0);

    private static void Write(MacMatch match, Span<byte> info, in XtContext context)
    {
        if (match.Address >> 48 != 0) throw new ArgumentException("An address has 48 bits.", nameof(match));
        info.PutBe(0, (ushort)(match.Address >> 32));
        info.PutBe(2, (uint)match.Address);
        info.Put(8, match.Negated ? 1u : 0);
    }

    private static void Print(MacMatch match, IptablesArguments text) => text.Not(match.Negated)
        .Add($"--mac-source {string.Join(':', Enumerable.Range(0, 6).Select(i => $"{(byte)(match.Address >> (40 - (8 * i))):x2}"))}");
}
