using Microsoft.Extensions.Hosting;

namespace KubeProxy.Host.Composition;

/// <summary>
/// Gives memory back after a time of many changes. The runtime collects when something is allocated, and a proxy that has become quiet allocates nothing: it
/// would keep what the busiest minute took for the rest of its life. Once for each such time, when nothing is urgent.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="allocated">How many bytes have been allocated since the start of the process.</param>
/// <param name="collect">Collects everything and returns memory to the kernel; takes about a millisecond for each MiB that is kept.</param>
internal sealed class IdleMemory(TimeProvider time, Func<long> allocated, Action collect) : BackgroundService
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(20);

    // In a period: probes and scrapes allocate that much, changes of many services more.
    private const long Little = 4 << 20;

    // Below that it is not worth the pause.
    private const long Much = 32 << 20;

    private long _seen;
    private long _collected;

    /// <summary>With the memory of this process.</summary>
    public static IdleMemory OfProcess(TimeProvider time) => new(
        time, () => GC.GetTotalAllocatedBytes(), () => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true));

    /// <summary>Looks once.</summary>
    internal void Look()
    {
        var now = allocated();
        if (now - _seen < Little && now - _collected > Much)
        {
            collect();
            _collected = now;
        }

        _seen = now;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Look();
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
    }
}
