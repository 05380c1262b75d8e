namespace KubeProxy.Kubernetes.Wire;

/// <summary>
/// A time limit for each single wait on a connection. Data that keeps coming is never cut, however long it takes; silence is.
/// </summary>
internal sealed class IdleDeadline : IDisposable
{
    private readonly TimeSpan _limit;
    private readonly CancellationToken _stop;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;

    public IdleDeadline(TimeSpan limit, TimeProvider time, CancellationToken stop)
    {
        _limit = limit;
        _stop = stop;
        _timer = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(stop, _timer.Token);
    }

    /// <summary>Waits for data.</summary>
    /// <exception cref="ApiRequestException">Nothing came within the limit, or the connection broke.</exception>
    /// <exception cref="OperationCanceledException">The caller stopped it.</exception>
    public async ValueTask<T> GuardAsync<T>(Func<CancellationToken, ValueTask<T>> read)
    {
        var reading = read(_either.Token);
        if (reading.IsCompletedSuccessfully) return reading.Result;
        _timer.CancelAfter(_limit);
        try
        {
            return await reading;
        }
        catch (Exception e)
            when (!_stop.IsCancellationRequested && (_timer.IsCancellationRequested || ApiFailures.IsConnection(e)))
        {
            throw _timer.IsCancellationRequested
                ? ApiRequestException.Stalled(_limit)
                : ApiRequestException.Broken(ApiFailures.Describe(e), e);
        }
        catch (Exception e)
            when (_stop.IsCancellationRequested && (e is OperationCanceledException || ApiFailures.IsConnection(e)))
        {
            throw new OperationCanceledException(_stop);
        }
        finally
        {
            _timer.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }
}
