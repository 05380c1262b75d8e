namespace KubeProxy.Kubernetes;

/// <summary>
/// How long to wait after a failure: twice as long after each, and never the same on any two nodes, so that they do not return
/// to a server all at once. Not thread-safe.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest, Random random)
{
    private readonly TimeSpan _limitOfAsked = longest * 10;
    private int _failures;

    /// <summary>Failures in a row.</summary>
    public int Failures => _failures;

    /// <summary>Counts a failure; returns the wait before the next attempt.</summary>
    /// <param name="asked">What the server asked for: the least wait, to which the own one is added, since others were asked the same.</param>
    /// <param name="limit">A lower limit than the longest wait, for this once.</param>
    public TimeSpan Next(TimeSpan? asked = null, TimeSpan? limit = null)
    {
        var wait = first * Math.Pow(2, Math.Min(_failures++, 30));
        var highest = limit < longest ? limit.Value : longest;
        if (wait > highest) wait = highest;
        wait *= 0.5 + random.NextDouble();
        return asked is { } least ? wait + (least < _limitOfAsked ? least : _limitOfAsked) : wait;
    }

    /// <summary>All is well again.</summary>
    public void Reset() => _failures = 0;
}
