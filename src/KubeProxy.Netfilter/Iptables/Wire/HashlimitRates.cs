namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Rates of hashlimit as iptables prints them, and after what time (in milliseconds) entries go by default with such a rate.</summary>
internal static class HashlimitRates
{
    private const ulong Second = 1_000_000; // XT_HASHLIMIT_SCALE_v2
    private const int ByteShift = 4; // XT_HASHLIMIT_BYTE_SHIFT
    private const uint ByteExpire = 15_000;
    private const uint ByteBurstExpire = 60_000;
    private static readonly (string Name, ulong Cost)[] Units = [("day", Second * 24 * 60 * 60), ("hour", Second * 60 * 60), ("min", Second * 60), ("sec", Second)];
    private static readonly (string Name, ulong Size)[] ByteUnits = [("m", 1024 * 1024), ("k", 1024), ("", 1)];

    public static uint PrintPackets(HashlimitMatch match, IptablesArguments text)
    {
        if (match.Cost == 0)
        {
            text.Add($"inf --hashlimit-burst {match.Burst}");
            return 0;
        }

        // The largest unit in which the rate is about a whole number.
        var i = 1;
        while (i < Units.Length && match.Cost <= Units[i].Cost && Units[i].Cost / match.Cost >= Units[i].Cost % match.Cost) i++;
        text.Add($"{Units[i - 1].Cost / match.Cost}/{Units[i - 1].Name} --hashlimit-burst {match.Burst}");
        return (uint)(Units[i - 1].Cost / Second * 1000);
    }

    public static uint PrintBytes(HashlimitMatch match, IptablesArguments text)
    {
        var bytes = ToBytes(match.Cost);
        var unit = Array.Find(ByteUnits, unit => bytes >= unit.Size && ToCost(bytes & ~(unit.Size - 1)) == match.Cost);
        if (unit.Size == 0) unit = ByteUnits[^1];
        text.Add($"{bytes / unit.Size}{unit.Name}b/s");
        if (match.Burst == 0) return ByteExpire;
        bytes *= match.Burst;
        unit = Array.Find(ByteUnits, unit => bytes >= unit.Size);
        if (unit.Size == 0) unit = ByteUnits[^1];
        text.Add($"--hashlimit-burst {bytes / unit.Size}{unit.Name}b");
        return ByteBurstExpire;
    }

    private static ulong ToBytes(ulong cost) => unchecked(((cost == 0 ? uint.MaxValue : uint.MaxValue / cost) - 1) << ByteShift);

    // The kernel's arithmetic, of 32 bits: a sum of zero is taken for what is not there.
    private static ulong ToCost(ulong bytes) => unchecked((uint)(bytes >> ByteShift) + 1) is not 0 and var divisor ? uint.MaxValue / divisor : 0;
}
