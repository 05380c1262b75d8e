using KubeProxy.TestKit;

namespace KubeProxy.Kubernetes.Tests;

public sealed class BackoffTests
{
    [Fact]
    public void Waits_grow_to_a_limit_and_are_jittered()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), new Random(1));
        var others = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), new Random(2));
        double[] middle = [1, 2, 4, 8, 16, 30, 30, 30];
        foreach (var expected in middle)
        {
            var wait = backoff.Next();
            Assert.InRange(wait.TotalSeconds, expected * 0.5, expected * 1.5);
            Assert.NotEqual(wait, others.Next());
        }

        backoff.Reset();
        Assert.InRange(backoff.Next().TotalSeconds, 0.5, 1.5);
    }

    [Fact]
    public void Server_may_ask_for_more_but_not_for_everything()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), new Random(1));
        Assert.InRange(backoff.Next(TimeSpan.FromSeconds(60)).TotalSeconds, 60, 63);
        Assert.InRange(backoff.Next(TimeSpan.FromDays(9)).TotalSeconds, 300, 303);
        Assert.InRange(backoff.Next(TimeSpan.FromMilliseconds(1)).TotalSeconds, 2, 6);
    }

    [Fact]
    public async Task Pacer_lets_a_burst_through_and_then_so_many_a_second()
    {
        var time = new SteppedTime();
        var pacer = new RequestPacer(5, 3, time);
        for (var i = 0; i < 3; i++) Assert.Equal(TimeSpan.Zero, await pacer.WaitAsync(CancellationToken.None));
        var fourth = pacer.WaitAsync(CancellationToken.None).AsTask();
        Assert.False(fourth.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(0.2, (await fourth).TotalSeconds, 3);
        time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 3; i++) Assert.Equal(TimeSpan.Zero, await pacer.WaitAsync(CancellationToken.None));
    }
}
