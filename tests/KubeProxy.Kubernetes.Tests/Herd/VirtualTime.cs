namespace KubeProxy.Kubernetes.Tests.Herd;

/// <summary>
/// A clock, and a thread, of a simulation: what was posted runs first, then the next timer, and the clock jumps to it. So minutes of
/// thousands of clients take seconds, and come out the same each time. For one thread only.
/// </summary>
internal sealed class VirtualTime : TimeProvider
{
    private readonly PriorityQueue<(Timer Timer, int Setting), (long Due, long Order)> _timers = new();
    private readonly Pump _pump = new();
    private int _foreign;
    private long _now;
    private long _order;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now;

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(_now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public TimeSpan Now => TimeSpan.FromTicks(_now);

    /// <summary>Waits for a task that does not come back to this thread by itself; time does not go on before that is settled.</summary>
    public async Task ForeignAsync(Task task)
    {
        _foreign++;
        await task;
        _foreign--;
    }

    /// <summary>Runs until that time, or until nothing is left to do.</summary>
    public void Run(TimeSpan until, Action start)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_pump);
        try
        {
            start();
            do _pump.Drain(_foreign > 0);
            while (Step(until));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private bool Step(TimeSpan until)
    {
        while (_timers.TryDequeue(out var next, out var at))
        {
            if (next.Timer.Setting != next.Setting) continue;
            if (at.Due > until.Ticks) return false;
            _now = Math.Max(_now, at.Due);
            next.Timer.Fire();
            return true;
        }

        return false;
    }

    private sealed class Timer(VirtualTime time, Action fire) : ITimer
    {
        public int Setting { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Setting++;
            if (dueTime != Timeout.InfiniteTimeSpan) time._timers.Enqueue((this, Setting), (time._now + dueTime.Ticks, time._order++));
            return true;
        }

        public void Dispose() => Setting++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Pump : SynchronizationContext
    {
        private readonly Lock _gate = new();
        private readonly Queue<(SendOrPostCallback Callback, object? State)> _work = [];

        public override void Post(SendOrPostCallback d, object? state)
        {
            lock (_gate) _work.Enqueue((d, state));
        }

        public override SynchronizationContext CreateCopy() => this;

        public void Drain(bool isForeign)
        {
            for (var idle = 0; idle < (isForeign ? 200 : 1); idle++)
            {
                while (TryTake(out var item))
                {
                    item.Callback(item.State);
                    idle = 0;
                }

                if (isForeign) Thread.Yield();
            }
        }

        private bool TryTake(out (SendOrPostCallback Callback, object? State) item)
        {
            lock (_gate) return _work.TryDequeue(out item);
        }
    }
}
