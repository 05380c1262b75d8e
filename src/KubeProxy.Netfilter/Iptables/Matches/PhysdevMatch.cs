using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m physdev</c>: the ports of a bridge. Null is any.</summary>
/// <param name="Input">The port that the packet came in by.</param>
/// <param name="Output">The port that it goes out by.</param>
public sealed record PhysdevMatch(InterfaceMatch? Input = null, InterfaceMatch? Output = null) : IptablesMatch
{
    private const int NameSize = 16; // IFNAMSIZ
    private const byte HasInput = 1; // XT_PHYSDEV_OP_IN
    private const byte HasOutput = 2; // XT_PHYSDEV_OP_OUT
    private const byte Bridged = 4; // XT_PHYSDEV_OP_BRIDGED
    private const byte InputPort = 8; // XT_PHYSDEV_OP_ISIN
    private const byte OutputPort = 16; // XT_PHYSDEV_OP_ISOUT

    /// <summary>Whether it is bridged, not routed.</summary>
    public bool? IsBridged { get; init; }

    /// <summary>Whether it came in by a port.</summary>
    public bool? IsIn { get; init; }

    /// <summary>Whether it goes out by a port.</summary>
    public bool? IsOut { get; init; }

    // struct xt_physdev_info (xt_physdev.h): | physindev char[16] | in_mask 16 | physoutdev char[16] | out_mask 16 | invert u8 | bitmask u8 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, PhysdevMatch>("physdev", 0, 72, Read, Write, Print);

    private static PhysdevMatch? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var (inverted, flags) = (info[64], info[65]);
        var input = XtInterfaces.Read(info, 0, NameSize);
        var output = XtInterfaces.Read(info, 32, NameSize + 32);
        if (((flags & HasInput) != 0 && input is null) || ((flags & HasOutput) != 0 && output is null)) return null;
        return new PhysdevMatch(
            (flags & HasInput) == 0 ? null : new InterfaceMatch(input!, (inverted & HasInput) != 0),
            (flags & HasOutput) == 0 ? null : new InterfaceMatch(output!, (inverted & HasOutput) != 0))
        {
            IsBridged = Whether(Bridged), IsIn = Whether(InputPort), IsOut = Whether(OutputPort),
        };

        bool? Whether(byte bit) => (flags & bit) == 0 ? null : (inverted & bit) == 0;
    }

    private static void Write(PhysdevMatch match, Span<byte> info, in XtContext context)
    {
        byte flags = 0, inverted = 0;
        Set(HasInput, match.Input is null ? null : !match.Input.Negated);
        Set(HasOutput, match.Output is null ? null : !match.Output.Negated);
        Set(Bridged, match.IsBridged);
        Set(InputPort, match.IsIn);
        Set(OutputPort, match.IsOut);
        if (match.Input is { } input) XtInterfaces.Write(input.Name, info, 0, NameSize);
        if (match.Output is { } output) XtInterfaces.Write(output.Name, info, 32, NameSize + 32);
        (info[64], info[65]) = (inverted, flags);

        void Set(byte bit, bool? value)
        {
            if (value is null) return;
            flags |= bit;
            if (value is false) inverted |= bit;
        }
    }

    private static void Print(PhysdevMatch match, IptablesArguments text)
    {
        if (match.IsIn is { } isIn) text.Not(!isIn).Add("--physdev-is-in");
        if (match.Input is { } input) text.Not(input.Negated).Add($"--physdev-in {input.Name}");
        if (match.IsOut is { } isOut) text.Not(!isOut).Add("--physdev-is-out");
        if (match.Output is { } output) text.Not(output.Negated).Add($"--physdev-out {output.Name}");
        if (match.IsBridged is { } isBridged) text.Not(!isBridged).Add("--physdev-is-bridged");
    }
}
