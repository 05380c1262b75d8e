using KubeProxy.Core.Sync;

namespace KubeProxy.Core.Tests;

public class SyncPacerTests
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static SyncPacer Pacer(double min = 0, double retry = 30, double verify = 3600) => new(S(min), S(retry), S(verify), () => 0);

    [Fact]
    public void The_first_sync_is_due_at_once() => Assert.Equal(TimeSpan.Zero, Pacer(min: 10).Due());

    [Theory]
    [InlineData(0, 5)]
    [InlineData(10, 15)]
    public void A_request_is_due_after_the_least_period_from_the_end(double min, double due)
    {
        var pacer = Pacer(min);
        pacer.Start(S(1));
        pacer.End(S(5), success: true);
        pacer.Request();
        Assert.Equal(S(due), pacer.Due());
    }

    [Fact]
    public void The_next_step_is_due_without_a_pause()
    {
        var pacer = Pacer(min: 10);
        pacer.Start(S(1));
        pacer.End(S(5), success: true);
        pacer.Continue();
        Assert.Equal(S(5), pacer.Due());
        pacer.Start(S(5));
        pacer.End(S(6), success: true);
        Assert.Equal(S(3601), pacer.Due());
    }

    [Fact]
    public void A_request_during_a_sync_is_kept()
    {
        var pacer = Pacer();
        pacer.Start(S(1));
        pacer.Request();
        pacer.End(S(5), success: true);
        Assert.Equal(S(5), pacer.Due());
    }

    [Fact]
    public void Failures_back_off_to_the_sync_period_and_success_ends_that()
    {
        var pacer = Pacer(retry: 1);
        foreach (var delay in (double[])[0.1, 0.2, 0.4, 0.8, 1, 1])
        {
            pacer.Start(S(0));
            pacer.End(S(0), success: false);
            Assert.Equal(delay, pacer.Due().TotalSeconds, 6);
        }

        pacer.Start(S(0));
        pacer.End(S(0), success: true);
        Assert.Equal(S(3600), pacer.Due());
    }

    [Fact]
    public void A_retry_waits_for_the_least_period()
    {
        var pacer = Pacer(min: 5);
        pacer.Start(S(0));
        pacer.End(S(0), success: false);
        Assert.Equal(S(5), pacer.Due());
    }

    [Fact]
    public void Requests_while_failing_do_not_make_it_spin()
    {
        var pacer = Pacer();
        for (var i = 0; i < 8; i++)
        {
            pacer.Start(S(0));
            pacer.End(S(0), success: false);
        }

        pacer.Request();
        Assert.Equal(S(0.1), pacer.Due());
    }

    [Fact]
    public void Verification_is_due_by_the_clock_not_by_idleness()
    {
        var pacer = Pacer(verify: 100);
        Assert.False(pacer.Start(S(0)));
        pacer.End(S(1), success: true);
        pacer.Request();
        Assert.False(pacer.Start(S(60)));
        pacer.End(S(61), success: true);
        Assert.Equal(S(100), pacer.Due());
        Assert.True(pacer.Start(S(100)));
        pacer.End(S(101), success: true);
        Assert.Equal(S(200), pacer.Due());
    }

    [Fact]
    public void A_repair_is_due_at_once_but_a_storm_of_them_is_slowed_down_until_it_is_over()
    {
        var pacer = Pacer(min: 1);
        var now = S(0);
        for (var repair = 0; repair < 5; repair++)
        {
            pacer.Start(now);
            pacer.End(now, success: true);
            pacer.RequestRepair(now);
            Assert.Equal(now, pacer.Due());
            now += S(0.1);
        }

        pacer.Start(now);
        pacer.End(now, success: true);
        pacer.RequestRepair(now);
        Assert.Equal(now + S(1), pacer.Due());
        now += S(11);
        pacer.RequestRepair(now);
        Assert.True(pacer.Due() <= now);
    }

    [Fact]
    public void A_repair_after_a_failure_waits_as_every_retry_does()
    {
        var pacer = Pacer();
        pacer.Start(S(1));
        pacer.End(S(2), success: false);
        pacer.RequestRepair(S(2));
        Assert.Equal(S(2.1), pacer.Due());
    }
}
