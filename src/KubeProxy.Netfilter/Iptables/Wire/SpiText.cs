namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Ranges of numbers of 32 bits, of which all is not printed.</summary>
internal static class SpiText
{
    public static void Print(string option, IdRange range, IptablesArguments text)
    {
        if (range is not { First: 0, Last: uint.MaxValue }) text.AddRange(option, range.Negated, range.First, range.Last);
    }

    public static IdRange Read(ReadOnlySpan<byte> info, int at, bool negated) => new(info.U32(at), info.U32(at + 4), negated);

    public static void Write(IdRange range, Span<byte> info, int at)
    {
        info.Put(at, range.First);
        info.Put(at + 4, range.Last);
    }
}
