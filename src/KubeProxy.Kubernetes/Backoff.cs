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
    /// <param name="asked">What the server asked for: the least wait.</param>
    public TimeSpan Next(TimeSpan? asked = null)
    {
        var wait = first * Math.Pow(2, Math.Min(_failures++, 30));
        if (wait > longest) wait = longest;
        wait *= 0.5 + random.NextDouble();
        if (asked is not { } least || least <= wait) return wait;
        return (least < _limitOfAsked ? least : _limitOfAsked) + wait * 0.1;
    }

    /// <summary>All is well again.</summary>
    public void Reset() => _failures = 0;
}
