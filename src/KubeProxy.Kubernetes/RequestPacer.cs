namespace KubeProxy.Kubernetes;

/// <summary>Lets so many requests through at once, and so many a second after that. Thread-safe.</summary>
internal sealed class RequestPacer(double perSecond, int burst, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly int _burst = Math.Max(burst, 1);
    private double _tokens = Math.Max(burst, 1);
    private long _at = time.GetTimestamp();

    /// <summary>Waits for a turn; returns how long that was.</summary>
    public async ValueTask<TimeSpan> WaitAsync(CancellationToken cancellationToken)
    {
        var wait = Reserve();
        if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellationToken);
        return wait;
    }

    private TimeSpan Reserve()
    {
        if (perSecond <= 0) return TimeSpan.Zero;
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(_burst, _tokens + time.GetElapsedTime(_at, now).TotalSeconds * perSecond) - 1;
            _at = now;
            return _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_tokens / perSecond);
        }
    }
}
