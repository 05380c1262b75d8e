namespace KubeProxy.Kubernetes;

/// <summary>
/// How long to wait before the next attempt to reach a server that is away: little at first, and never more than the longest wait, after
/// however long an outage. Each wait is a random part, between half and all, of a limit that doubles, so that nodes that lost a server at
/// the same moment do not ask for it at the same moments. Not thread-safe.
/// </summary>
/// <param name="first">The limit of the first wait.</param>
/// <param name="longest">The highest limit.</param>
/// <param name="random">Source of jitter.</param>
internal sealed class ReconnectPace(TimeSpan first, TimeSpan longest, Random random)
{
    // A plugin for credentials that fails is a process each time.
    private const int CostlyFactor = 5;

    private int _attempts;

    /// <summary>The wait before the next attempt.</summary>
    /// <param name="isCostly">Whether an attempt costs this machine something.</param>
    public TimeSpan Next(bool isCostly = false)
    {
        var limit = first * Math.Pow(2, Math.Min(_attempts++, 30));
        var highest = isCostly ? longest * CostlyFactor : longest;
        if (limit > highest) limit = highest;
        return limit * (0.5 + random.NextDouble() / 2);
    }

    /// <summary>The server was well for a while.</summary>
    public void Reset() => _attempts = 0;
}
