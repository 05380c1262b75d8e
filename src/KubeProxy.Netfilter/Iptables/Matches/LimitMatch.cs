namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m limit</c>: true up to a rate. iptables-nft writes it as a statement of nf_tables.</summary>
/// <param name="Rate">How many packets in the unit, 1 or more.</param>
/// <param name="Unit">The unit in seconds: 1, 60, 3600 or 86400.</param>
/// <param name="Burst">How many at once.</param>
public sealed record LimitMatch(ulong Rate, ulong Unit = 1, uint Burst = LimitMatch.DefaultBurst) : IptablesMatch
{
    /// <summary>The burst where none is given.</summary>
    public const uint DefaultBurst = 5; // XT_LIMIT_BURST

    internal const ulong Scale = 10_000; // XT_LIMIT_SCALE
    private static readonly (string Name, ulong Seconds)[] Units = [("day", 24 * 60 * 60), ("hour", 60 * 60), ("min", 60), ("sec", 1)];

    /// <summary>Whether iptables would print and write the same: it keeps the time between two packets in units of 100 microseconds.</summary>
    internal bool IsWhole => Cost != 0 && Printed is var (rate, unit) && rate == Rate && Units[unit].Seconds == Unit;

    private ulong Cost => Rate == 0 || Unit > uint.MaxValue ? 0 : Scale * Unit / Rate;

    private (ulong Rate, int Unit) Printed
    {
        get
        {
            // The largest unit in which the rate is about a whole number.
            var cost = Cost;
            var i = 1;
            while (i < Units.Length && cost <= Units[i].Seconds * Scale && Units[i].Seconds * Scale / cost >= Units[i].Seconds * Scale % cost) i++;
            return (Units[i - 1].Seconds * Scale / cost, i - 1);
        }
    }

    /// <summary>The option as iptables prints it.</summary>
    internal string Arguments
    {
        get
        {
            var text = "--limit inf";
            if (Cost != 0)
            {
                var (rate, unit) = Printed;
                text = $"--limit {rate}/{Units[unit].Name}";
            }

            return Burst == DefaultBurst ? text : $"{text} --limit-burst {Burst}";
        }
    }
}
