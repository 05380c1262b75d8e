namespace KubeProxy.Kubernetes.Tests.Herd;

/// <summary>How the watches of one node wait.</summary>
internal interface IHerdPacing
{
    /// <summary>Before a request.</summary>
    ValueTask TurnAsync(object watch);

    void Answered(object watch);

    /// <summary>After a request that failed; waits.</summary>
    Task FailedAsync(object watch, ApiRequestException failure);
}

/// <summary>Ours, with the code that runs in production.</summary>
internal sealed class JudgedPacing(VirtualTime time, Random random, ApiServerSourceOptions options) : IHerdPacing, IDisposable
{
    private readonly ConnectionJudge _judge = new(new ReconnectPace(options.FirstReconnect, options.LongestReconnect, random), time);
    private readonly Dictionary<object, Backoff> _backoffs = [];

    public void Dispose() => _judge.Dispose();

    public ValueTask TurnAsync(object watch) => _judge.WaitForTurnAsync(watch, CancellationToken.None);

    public void Answered(object watch)
    {
        _judge.Answered(watch);
        _backoffs.Remove(watch);
    }

    public Task FailedAsync(object watch, ApiRequestException failure)
    {
        if (_judge.Failed(watch, failure) || failure.IsGone) return Task.CompletedTask;
        if (!_backoffs.TryGetValue(watch, out var backoff))
            _backoffs[watch] = backoff = new Backoff(options.FirstBackoff, options.LongestBackoff, random);
        var wait = backoff.Next(failure.RetryAfter, _judge.IsStarting ? ReflectorProgress.LongestAtStart : null);
        return failure.RetryAfter is null
            ? time.ForeignAsync(_judge.WaitForChangeAsync(wait, CancellationToken.None))
            : Task.Delay(wait, time);
    }
}

/// <summary>What was before: a backoff for each watch, from half a second to half a minute, and hardly any jitter on what the server asks for.</summary>
internal sealed class SingleBackoffs(VirtualTime time, Random random) : IHerdPacing
{
    private readonly Dictionary<object, Backoff> _backoffs = [];

    public ValueTask TurnAsync(object watch) => ValueTask.CompletedTask;

    public void Answered(object watch)
    {
    }

    public Task FailedAsync(object watch, ApiRequestException failure)
    {
        if (!_backoffs.TryGetValue(watch, out var backoff))
            _backoffs[watch] = backoff = new Backoff(TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(30), random);
        var wait = backoff.Next();
        if (failure.IsGone && backoff.Failures == 1) wait = TimeSpan.Zero;
        return Task.Delay(failure.RetryAfter > wait ? failure.RetryAfter.Value + wait * 0.1 : wait, time);
    }
}

/// <summary>
/// The reference's (client-go's reflector and REST client): 0.8 s, doubled up to 30 s, and up to as much again; from the start after two
/// minutes without a failure. What the server asks for is waited for to the second, ten times; a 410 is followed by a list at once.
/// </summary>
internal sealed class ReferenceBackoffs(VirtualTime time, Random random) : IHerdPacing
{
    private readonly Dictionary<object, State> _states = [];

    public ValueTask TurnAsync(object watch) => ValueTask.CompletedTask;

    public void Answered(object watch)
    {
        if (_states.TryGetValue(watch, out var state)) _states[watch] = state with { Retries = 0 };
    }

    public Task FailedAsync(object watch, ApiRequestException failure)
    {
        if (failure.IsGone) return Task.CompletedTask;
        var state = _states.GetValueOrDefault(watch, new State(0.8, time.Now, 0));
        if (failure.RetryAfter is { } asked && state.Retries < 10)
        {
            _states[watch] = state with { Retries = state.Retries + 1 };
            return Task.Delay(asked, time);
        }

        var seconds = time.Now - state.Last > TimeSpan.FromMinutes(2) ? 0.8 : state.Seconds;
        _states[watch] = new State(Math.Min(seconds * 2, 30), time.Now, 0);
        return Task.Delay(TimeSpan.FromSeconds(seconds * (1 + random.NextDouble())), time);
    }

    private sealed record State(double Seconds, TimeSpan Last, int Retries);
}
