namespace KubeProxy.Core.Sync;

/// <summary>
/// Decides when the next sync is due. Pure: times are given, on any steady scale. Requests coalesce to one.
/// </summary>
/// <param name="minPeriod">From the end of one sync to the start of the next.</param>
/// <param name="maxRetry">The longest delay after failures.</param>
/// <param name="verifyPeriod">From the end of the last sync or check to a check.</param>
/// <param name="random">Gives numbers from 0 to 1, so that the nodes of a cluster do not all retry together.</param>
internal sealed class SyncPacer(TimeSpan minPeriod, TimeSpan maxRetry, TimeSpan verifyPeriod, Func<double> random)
{
    // Replaced as a whole, from any thread.
    private volatile Periods _periods = new(minPeriod, maxRetry);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);

    private const int RepairBurst = 5;
    private static readonly TimeSpan RepairWindow = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StormDelay = TimeSpan.FromSeconds(1);

    private readonly Queue<TimeSpan> _repairs = [];
    private RepairRequest _repair;
    private TimeSpan? _lastEnd;
    private TimeSpan _lastVerify;
    private TimeSpan _retryDelay;
    private int _failures;
    private bool _requested = true; // The first sync is due at once.

    /// <summary>Failed syncs since the last successful one.</summary>
    public int Failures => _failures;

    /// <summary>Other periods from now on. From any thread.</summary>
    public void Change(TimeSpan least, TimeSpan longestRetry) => _periods = new Periods(least, longestRetry);

    /// <summary>There is something to sync.</summary>
    public void Request() => _requested = true;

    /// <summary>The sync that ended was a step of several: the next is due at once.</summary>
    public void Continue() => _repair = RepairRequest.Continuation;

    /// <summary>
    /// The kernel no longer holds what it should: due at once, without the usual pause. When that happens again and again,
    /// somebody fights the proxy, and the pause is kept.
    /// </summary>
    public void RequestRepair(TimeSpan now)
    {
        _requested = true;
        while (_repairs.TryPeek(out var oldest) && now - oldest > RepairWindow) _repairs.Dequeue();
        _repair = _repairs.Count < RepairBurst ? RepairRequest.Urgent : RepairRequest.Storm;
    }

    /// <summary>When the next sync is due; may be in the past.</summary>
    public TimeSpan Due()
    {
        if (_lastEnd is not { } end) return TimeSpan.Zero;
        if (_repair is RepairRequest.Urgent or RepairRequest.Continuation && _failures == 0) return end;
        var earliest = end + (_repair == RepairRequest.Storm ? Max(_periods.Least, StormDelay) : _periods.Least);
        if (_requested) return _failures == 0 ? earliest : Max(earliest, end + Min(_retryDelay, FirstRetry));
        return Max(earliest, _failures > 0 ? end + _retryDelay : _lastVerify + verifyPeriod);
    }

    /// <summary>A sync starts. Returns whether it should compare everything with the kernel.</summary>
    public bool Start(TimeSpan now)
    {
        _requested = false;
        if (_repair == RepairRequest.Urgent) _repairs.Enqueue(now);
        _repair = RepairRequest.None;
        var verify = _lastEnd is not null && now - _lastVerify >= verifyPeriod;
        if (verify || _lastEnd is null) _lastVerify = now;
        return verify;
    }

    /// <summary>The sync ended.</summary>
    public void End(TimeSpan now, bool success)
    {
        _lastEnd = now;
        _failures = success ? 0 : _failures + 1;
        if (!success) _retryDelay = Min(FirstRetry * Math.Pow(2, Math.Min(_failures - 1, 30)) * (1 + random() / 4), _periods.LongestRetry);
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private enum RepairRequest
    {
        None,
        Continuation,
        Urgent,
        Storm,
    }

    private sealed record Periods(TimeSpan Least, TimeSpan LongestRetry);
}
