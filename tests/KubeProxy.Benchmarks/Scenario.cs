using KubeProxy.Netlink;

namespace KubeProxy.Benchmarks;

/// <summary>The phases that are measured; the same steps, in the same order, for measuring and for recording.</summary>
internal static class Scenario
{
    public const string FullSync = "full sync";
    public const string Replace = "endpoint replaced";
    public const string Add = "endpoint added";
    public const string Remove = "endpoint removed";
    public const string AddService = "service added";
    public const string RemoveService = "service removed";
    public const string Restart = "restart, nothing changed";

    // What is done between phases is replayed as well, and belongs to none.
    private const string Between = "";

    // A change in iptables mode takes the kernel a thousand times as long.
    private static (int Repetitions, int WarmUp) CountsOf(BackendMode mode) => mode == BackendMode.Iptables ? (20, 5) : (200, 50);

    /// <param name="services">Services in the cluster.</param>
    /// <param name="mode">The backend.</param>
    /// <param name="record">A file to record to instead of measuring; null to measure.</param>
    /// <param name="starts">Only the first sync and a restart.</param>
    public static async Task<List<Measurement>> RunAsync(int services, BackendMode mode, string? record, bool starts = false)
    {
        await using var file = record is null ? null : new BinaryWriter(File.Create(record));
        var results = new List<Measurement>();
        var (repetitions, initial) = CountsOf(mode);
        if (record is null) await WarmUpAsync(mode);
        var rig = new Rig(file, mode, listen: record is null);
        async Task Phase(string name, int count, Func<int, Task> step, int warmUp = 0)
        {
            for (var i = 0; i < warmUp; i++) await step(i - warmUp);
            Mark(file, name, count);
            var before = rig.Counters;
            var watches = new Stopwatches(name, services);
            for (var i = 0; i < count; i++)
            {
                var number = i;
                await watches.RunAsync(() => step(number));
            }

            Mark(file, Between, 0);
            results.Add(watches.Finish(before, rig.Counters));
        }

        int Spread(int i) => (int)((uint)((i + initial) * 7919) % (uint)services);
        rig.Deliver(services);
        await Phase(FullSync, 1, _ => rig.StartAsync());
        results[^1] = results[^1] with { SettledRssMiB = ProcessMemory.SettledMiB() };
        if (!starts) await ChangesAsync();
        await rig.DisposeAsync();

        // Slots may have moved, but what is in the kernel is what the objects say, so nothing is to be written.
        rig = new Rig(file, mode, listen: record is null);
        rig.Deliver(services);
        await Phase(Restart, 1, _ => rig.StartAsync());
        await rig.DisposeAsync();
        Mark(file, "end", 0);
        return results;

        async Task ChangesAsync()
        {
            await Phase(Replace, repetitions, i => rig.ApplyAsync(Cluster.Slice(Spread(i), generation: 1)), initial);
            await Phase(Add, repetitions, i => rig.ApplyAsync(Cluster.Slice(Spread(i), Cluster.EndpointsPerService + 1, 1)));
            await Phase(Remove, repetitions, i => rig.ApplyAsync(Cluster.Slice(Spread(i), Cluster.EndpointsPerService, 1)));
            for (var i = 0; i < repetitions; i++) await rig.ApplyAsync(Cluster.Slice(services + i));
            await Phase(AddService, repetitions, i => rig.ApplyAsync(Cluster.Service(services + i, mode)));
            await Phase(RemoveService, repetitions, i => rig.RemoveAsync(Cluster.Service(services + i)));
            for (var i = 0; i < repetitions; i++) await rig.RemoveAsync(Cluster.Slice(services + i));
            for (var i = -initial; i < repetitions; i++) await rig.ApplyAsync(Cluster.Slice(Spread(i)));
        }
    }

    // The host is compiled ahead of time and this program is not: the compiler's work is no part of what is measured.
    private static async Task WarmUpAsync(BackendMode mode)
    {
        for (var i = 0; i < 3; i++)
        {
            await using var rig = new Rig(null, mode, listen: true);
            rig.Deliver(300);
            await rig.StartAsync();
            await rig.ApplyAsync(Cluster.Slice(1, generation: i + 1));
            await rig.DeleteAllAsync();
        }
    }

    // A negative length marks a phase.
    private static void Mark(BinaryWriter? file, string phase, int runs)
    {
        file?.Write(-1 - runs);
        file?.Write(phase);
    }
}
