using System.Net;
using KubeProxy.Kubernetes.Access;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Judges for all watches of a source whether the server is there. While it is away there is one attempt at a time, the next request of
/// one watch, each watch in its turn; an answer to it, be it a refusal, lets all others go on at once. Thread-safe.
/// </summary>
/// <remarks>
/// A failed connection, or an error of the server's own (5xx), means that it is away, unless another watch is being answered: then it is
/// the matter of that one watch, as is every other refusal. An error is that also while another watch waits for its answer. So a kind that
/// fails alone holds up no other. A server that asks for patience (429, or <c>Retry-After</c>) is asked by that watch when it said, and by
/// others in their turns.
/// </remarks>
internal sealed class ConnectionJudge : IDisposable
{
    /// <summary>A server that goes away again before that long has not been back: waits go on growing.</summary>
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(10);

    /// <summary>How long after its return a server may refuse what it is going to grant: it starts to listen before it knows everything.</summary>
    private static readonly TimeSpan Starting = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly ReconnectPace _pace;
    private readonly TimeProvider _time;
    private readonly Action<ConnectionStatus> _tell;
    private readonly ITimer _timer;
    private readonly HashSet<object> _answered = [];
    private readonly HashSet<object> _asking = [];
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private TaskCompletionSource _changed = NewSource();
    private object? _scout;
    private bool _isDue;
    private long? _returned;
    private volatile ConnectionStatus _status = new();

    /// <summary>Makes a judge; the server counts as there until something else is known.</summary>
    /// <param name="pace">The waits between attempts.</param>
    /// <param name="time">The clock.</param>
    /// <param name="tell">Is told of each attempt that fails, and of the return; must not call back.</param>
    public ConnectionJudge(ReconnectPace pace, TimeProvider time, Action<ConnectionStatus>? tell = null)
    {
        (_pace, _time, _tell) = (pace, time, tell ?? (_ => { }));
        _timer = time.CreateTimer(_ => BecomeDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public ConnectionStatus Status => _status;

    /// <summary>Whether the server came back so lately that its refusals may not be its last word.</summary>
    public bool IsStarting
    {
        get { lock (_gate) return _returned is { } at && _time.GetElapsedTime(at) < Starting; }
    }

    /// <summary>Waits until a watch may ask: at once while the server is there, else for its return or for the turn to try.</summary>
    public async ValueTask WaitForTurnAsync(object watch, CancellationToken cancellationToken)
    {
        while (Enter(watch) is { } waiting) await waiting.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Waits, but not beyond the moment when the server goes away or comes back. Returns whether it did.</summary>
    public async Task<bool> WaitForChangeAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        Task changed;
        lock (_gate) changed = _changed.Task;
        try
        {
            await changed.WaitAsync(limit, _time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>The server does what a watch asked for, and goes on doing so until <see cref="Ended"/> or <see cref="Failed"/>.</summary>
    public void Answered(object watch)
    {
        lock (_gate)
        {
            _asking.Remove(watch);
            _answered.Add(watch);
            if (_scout == watch) _scout = null;
            Return();
        }
    }

    /// <summary>The request of a watch ended in order.</summary>
    public void Ended(object watch)
    {
        lock (_gate)
        {
            _asking.Remove(watch);
            _answered.Remove(watch);
            if (_scout != watch) return;
            _scout = null;
            Return();
        }
    }

    /// <summary>
    /// The request of a watch failed. Returns whether it did because the server is away; if not, it is the watch's own matter how long it
    /// waits.
    /// </summary>
    public bool Failed(object watch, ApiRequestException failure)
    {
        lock (_gate)
        {
            _asking.Remove(watch);
            _answered.Remove(watch);
            var wasAttempt = _scout == watch;
            if (wasAttempt) _scout = null;
            var isAway = !_status.IsConnected;
            if (IsBusy(failure))
            {
                if (wasAttempt) Miss(failure);
                return false;
            }

            if (!IsOutage(failure))
            {
                Return();
                return false;
            }

            if (!isAway && IsOfOne(failure)) return false;
            if (!isAway) Leave(failure);
            else if (wasAttempt) Miss(failure);
            return true;
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Whether a failure can be that of the whole server. An answer in the range of 4xx cannot.</summary>
    public static bool IsOutage(ApiRequestException failure) =>
        failure.StatusCode is not { } code || (code >= HttpStatusCode.InternalServerError && !failure.IsTooNew);

    /// <summary>Whether others are being answered, or may be yet where it was at least an answer.</summary>
    private bool IsOfOne(ApiRequestException failure) => _answered.Count > 0 || (failure.StatusCode is not null && _asking.Count > 0);

    private static bool IsBusy(ApiRequestException failure) =>
        failure.StatusCode == HttpStatusCode.TooManyRequests || (failure.RetryAfter is not null && !failure.IsTooNew);

    private TaskCompletionSource? Enter(object watch)
    {
        lock (_gate)
        {
            var isAttempt = !_status.IsConnected && _isDue && _scout is null;
            if (isAttempt) (_isDue, _scout) = (false, watch);
            if (isAttempt || _status.IsConnected)
            {
                _asking.Add(watch);
                return null;
            }

            var waiting = NewSource();
            _waiting.Enqueue(waiting);
            return waiting;
        }
    }

    /// <summary>The first in the queue gets the turn, or whoever comes next.</summary>
    private void BecomeDue()
    {
        lock (_gate)
        {
            if (_status.IsConnected) return;
            _isDue = true;
            if (_waiting.TryDequeue(out var next)) next.SetResult();
        }
    }

    private void Leave(ApiRequestException failure)
    {
        if (_returned is not { } at || _time.GetElapsedTime(at) > Stable) _pace.Reset();
        Tell(new ConnectionStatus { IsConnected = false, AwaySince = _time.GetUtcNow(), Attempts = 1, Error = failure.Message });
        Schedule(failure);
        Change();
    }

    private void Miss(ApiRequestException failure)
    {
        Tell(_status with { Attempts = _status.Attempts + 1, Error = failure.Message });
        Schedule(failure);
    }

    private void Schedule(ApiRequestException failure) =>
        _timer.Change(_pace.Next(failure.InnerException is ApiAccessException), Timeout.InfiniteTimeSpan);

    private void Return()
    {
        if (_status.IsConnected) return;
        _returned = _time.GetTimestamp();
        (_scout, _isDue) = (null, false);
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Tell(new ConnectionStatus());
        while (_waiting.TryDequeue(out var waiting)) waiting.SetResult();
        Change();
    }

    private void Tell(ConnectionStatus status)
    {
        _status = status;
        _tell(status);
    }

    private void Change()
    {
        _changed.SetResult();
        _changed = NewSource();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
