namespace KubeProxy.Kubernetes;

/// <summary>
/// Asks, when a watch has been silent for a while, whether the server can say anything at all; cancels the watch if it cannot. Sets a timer
/// only while it is silent, so that a watch with bookmarks wakes nobody up.
/// </summary>
internal sealed class SilenceCheck : IDisposable
{
    private readonly TimeSpan _first;
    private readonly TimeSpan _limit;
    private readonly Func<CancellationToken, Task<bool>> _isOutOfReach;
    private readonly CancellationTokenSource _end;
    private readonly ITimer _timer;
    private volatile bool _found;

    /// <summary>Makes a check that does nothing yet.</summary>
    /// <param name="first">The silence after which it asks the first time.</param>
    /// <param name="limit">The silence after which it asks from then on.</param>
    /// <param name="time">The clock.</param>
    /// <param name="isOutOfReach">Whether the watch began at a version that the server has not come to.</param>
    /// <param name="stop">Ends it.</param>
    public SilenceCheck(
        TimeSpan first, TimeSpan limit, TimeProvider time, Func<CancellationToken, Task<bool>> isOutOfReach, CancellationToken stop)
    {
        (_first, _limit, _isOutOfReach) = (first, limit, isOutOfReach);
        _end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Token = _end.Token;
        _timer = time.CreateTimer(_ => _ = AskAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Cancelled when the watch is to end.</summary>
    public CancellationToken Token { get; }

    /// <summary>Whether it ended because the server has not come so far.</summary>
    public bool IsOutOfReach => _found;

    /// <summary>The server answered: from now on silence counts.</summary>
    public void Begin() => _timer.Change(_first, Timeout.InfiniteTimeSpan);

    /// <summary>The server said something.</summary>
    public void Hear() => _timer.Change(_limit, Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _timer.Dispose();
        _end.Cancel();
        _end.Dispose();
    }

    private async Task AskAsync()
    {
        try
        {
            _found = await _isOutOfReach(Token);
            if (_found) await _end.CancelAsync();
            else Hear();
        }
        catch (ApiRequestException)
        {
            Hear(); // Whoever cannot ask does not know; a server that is away is the matter of others.
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The watch is over.
        }
    }
}
