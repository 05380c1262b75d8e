using System.Net;
using KubeProxy.TestKit;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>Who may ask when; without a server.</summary>
public sealed class ConnectionJudgeTests : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    private readonly SteppedTime _time = new();
    private readonly ConnectionJudge _judge;
    private readonly object _one = new();
    private readonly object _two = new();
    private readonly object _three = new();

    public ConnectionJudgeTests() =>
        _judge = new ConnectionJudge(new ReconnectPace(TimeSpan.FromMilliseconds(200), Longest, new Random(1)), _time);

    public void Dispose() => _judge.Dispose();

    [Fact]
    public async Task While_the_server_is_away_one_asks_at_a_time_each_in_turn_and_an_answer_wakes_all()
    {
        Assert.True(_judge.Failed(_one, Broken()));
        Task[] waiting = [Wait(_one), Wait(_two), Wait(_three)];
        foreach (var turn in new[] { 0, 1, 2, 0 })
        {
            Assert.DoesNotContain(waiting, task => task.IsCompleted);
            _time.Advance(Longest);
            var asking = await Task.WhenAny(waiting).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            Assert.Equal(turn, Array.IndexOf(waiting, asking));
            _time.Advance(Longest * 10); // However long it takes, nobody else tries meanwhile.
            Assert.True(waiting.Count(task => task.IsCompleted) == 1);
            Assert.True(_judge.Failed(new[] { _one, _two, _three }[turn], Broken()));
            waiting[turn] = Wait(new[] { _one, _two, _three }[turn]);
        }

        Assert.Equal(5, _judge.Status.Attempts);
        _time.Advance(Longest);
        await waiting[1];
        _judge.Answered(_two);
        await Task.WhenAll(waiting);
        Assert.True(_judge.Status is { IsConnected: true, AwaySince: null, Error: null });
    }

    [Fact]
    public async Task Attempts_are_quick_at_first_and_never_further_apart_than_the_longest_wait()
    {
        Assert.True(_judge.Failed(_one, Broken()));
        var start = _time.GetUtcNow();
        var times = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            var turn = Wait(_one);
            while (!turn.IsCompleted)
            {
                _time.Advance(TimeSpan.FromMilliseconds(10));
                await Task.Yield();
                await Task.WhenAny(turn, Task.Delay(1, TestContext.Current.CancellationToken));
            }

            times.Add((_time.GetUtcNow() - start).TotalSeconds);
            _judge.Failed(_one, Broken());
        }

        Assert.InRange(times[0], 0.1, 0.25);
        Assert.InRange(times[2], 0.5, 1.5);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 0.15, 2.2));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(410)]
    public async Task Refusal_is_an_answer(int code)
    {
        Assert.True(_judge.Failed(_one, Broken()));
        var two = Wait(_two);
        _time.Advance(Longest);
        await two;
        Assert.False(_judge.Failed(_two, Refused(code)));
        await Wait(_one);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    public void Error_of_the_server_is_that_of_one_watch_only_while_another_is_answered(int code)
    {
        _judge.Answered(_two);
        Assert.False(_judge.Failed(_one, Refused(code)));
        Assert.True(_judge.Status.IsConnected);
        Assert.True(_judge.Failed(_two, Refused(code)));
        Assert.False(_judge.Status.IsConnected);
    }

    [Fact]
    public async Task Error_is_that_of_one_watch_as_long_as_others_have_no_answer_yet()
    {
        foreach (var watch in new[] { _one, _two, _three }) await Wait(watch);
        Assert.False(_judge.Failed(_one, Refused(500)));
        Assert.False(_judge.Failed(_two, Refused(500)));
        Assert.True(_judge.Failed(_three, Refused(500)));
        Assert.False(_judge.Status.IsConnected);
    }

    [Fact]
    public async Task Server_that_is_busy_is_asked_by_others_in_their_turn()
    {
        Assert.True(_judge.Failed(_one, Broken()));
        var (one, two) = (Wait(_one), Wait(_two));
        _time.Advance(Longest);
        await one;
        Assert.False(_judge.Failed(_one, new ApiRequestException("busy") { StatusCode = HttpStatusCode.TooManyRequests, RetryAfter = TimeSpan.FromSeconds(9) }));
        Assert.False(two.IsCompleted);
        _time.Advance(Longest);
        await two;
    }

    [Fact]
    public async Task What_looked_like_the_failure_of_one_ends_with_the_outage_that_it_announced()
    {
        _judge.Answered(_two);
        Assert.False(_judge.Failed(_one, Broken()));
        var wait = _judge.WaitForChangeAsync(TimeSpan.FromHours(1), TestContext.Current.CancellationToken);
        Assert.False(wait.IsCompleted);
        Assert.True(_judge.Failed(_two, Broken()));
        await wait;
        Assert.False(Wait(_one).IsCompleted);
    }

    [Fact]
    public void Server_that_comes_and_goes_does_not_make_attempts_quick_again()
    {
        var pace = new ReconnectPace(TimeSpan.FromMilliseconds(200), Longest, new Random(1));
        using var judge = new ConnectionJudge(pace, _time);
        for (var i = 0; i < 10; i++)
        {
            Assert.True(judge.Failed(_one, Broken()));
            judge.Answered(_one);
        }

        Assert.InRange(pace.Next().TotalSeconds, 1, 2);
        _time.Advance(TimeSpan.FromSeconds(11));
        judge.Failed(_one, Broken());
        Assert.InRange(pace.Next().TotalSeconds, 0.2, 0.4);
    }

    private Task Wait(object watch) => _judge.WaitForTurnAsync(watch, TestContext.Current.CancellationToken).AsTask();

    private static ApiRequestException Broken() => ApiRequestException.Broken("no route to host");

    private static ApiRequestException Refused(int code) => new($"{code}") { StatusCode = (HttpStatusCode)code };
}
