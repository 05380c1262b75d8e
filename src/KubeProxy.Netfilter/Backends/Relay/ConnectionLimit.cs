namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>How many TCP connections may be relayed at a time, by all relays that share this. Thread-safe.</summary>
/// <param name="maximum">1 or more; each takes two file descriptors.</param>
public sealed class ConnectionLimit(int maximum)
{
    private int _current;

    /// <summary>How many may be.</summary>
    public int Maximum { get; } = maximum;

    /// <summary>How many are.</summary>
    public int Current => Volatile.Read(ref _current);

    /// <summary>Counts one more; false when there are as many as may be.</summary>
    internal bool TryEnter()
    {
        if (Interlocked.Increment(ref _current) <= Maximum) return true;
        Leave();
        return false;
    }

    /// <summary>Counts one less.</summary>
    internal void Leave() => Interlocked.Decrement(ref _current);
}
