using System.Diagnostics;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Kernel.Tests.Nftables;

public sealed class NftMonitorKernelTests(ITestOutputHelper output)
{
    private static readonly NftTableKey Table = new(NftFamily.Ip, "t");
    private static readonly NftSet Set = new(new NftSetKey(Table, "s")) { KeyType = [NftDataType.Ipv4Addr] };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Foreign_changes_name_the_table_the_generation_and_the_process()
    {
        using var ns = NetworkNamespace.Create();
        await using var client = ns.Run(() => NftablesClient.Open());
        using var monitor = ns.Run(() => NftMonitor.Open(client.PortId));
        await using var changes = monitor.ReadAsync(Cancel).GetAsyncEnumerator(Cancel);

        var own = await client.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Set), Cancel);
        var first = await NextAsync(changes);
        Assert.Equal((NftChangeKind.Own, own.Generation), (first.Kind, first.Generation));

        ns.Exec("nft", "add", "element", "ip", "t", "s", "{ 10.0.0.1 }");
        var second = await NextAsync(changes);
        Assert.Equal((NftChangeKind.Foreign, own.Generation + 1, "nft"), (second.Kind, second.Generation, second.ProcessName));
        Assert.Equal([Table], second.Tables);
        Assert.NotNull(second.ProcessId);

        ns.Exec("nft", "flush", "ruleset");
        var third = await NextAsync(changes);
        Assert.Equal(NftChangeKind.Foreign, third.Kind);
        Assert.Equal([Table], third.Tables);
    }

    [Fact]
    public async Task Nothing_is_told_of_a_commit_during_a_pause()
    {
        using var ns = NetworkNamespace.Create();
        await using var client = ns.Run(() => NftablesClient.Open());
        using var monitor = ns.Run(() => NftMonitor.Open(client.PortId));
        await using var changes = monitor.ReadAsync(Cancel).GetAsyncEnumerator(Cancel);
        monitor.Pause();
        var paused = await client.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Set), Cancel);
        monitor.Resume();
        Assert.Equal(paused.Generation, await client.GetGenerationAsync(Cancel));
        ns.Exec("nft", "delete", "table", "ip", "t");
        var next = await NextAsync(changes);
        Assert.Equal((NftChangeKind.Foreign, paused.Generation + 1), (next.Kind, next.Generation));
    }

    [Fact]
    public async Task A_large_own_commit_is_one_event_and_costs_are_shown()
    {
        const int Count = 100_000;
        using var ns = NetworkNamespace.Create();
        await using var client = ns.Run(() => NftablesClient.Open());
        using var monitor = ns.Run(() => NftMonitor.Open(client.PortId));
        await using var changes = monitor.ReadAsync(Cancel).GetAsyncEnumerator(Cancel);
        var elements = Enumerable.Range(1, Count).Select(i => new NftElement { Key = NftValue.Number((uint)i) }).ToArray();
        await client.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(Set), Cancel);
        Assert.Equal(NftChangeKind.Own, (await NextAsync(changes)).Kind);

        foreach (var isPaused in new[] { false, true, false, true })
        {
            if (isPaused) monitor.Pause();
            var watch = Stopwatch.StartNew();
            var result = await client.CommitAsync(new NftTransaction().AddElements(Set, elements), Cancel);
            output.WriteLine($"{Count} elements, {(isPaused ? "nobody listens" : "listening")}: {watch.Elapsed.TotalMilliseconds:F0} ms");
            if (isPaused) monitor.Resume();
            else Assert.Equal((NftChangeKind.Own, result.Generation), await NextAsync(changes) is var change ? (change.Kind, change.Generation!.Value) : default);
            monitor.Pause();
            await client.CommitAsync(new NftTransaction().Flush(Set.Key), Cancel);
            monitor.Resume();
        }
    }

    private static async Task<NftChange> NextAsync(IAsyncEnumerator<NftChange> changes)
    {
        Assert.True(await changes.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancel));
        return changes.Current;
    }
}
