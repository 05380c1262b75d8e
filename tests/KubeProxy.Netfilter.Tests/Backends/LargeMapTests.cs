using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>Maps that are too large to dump: the lists in them are asked for.</summary>
public sealed class LargeMapTests
{
    private static readonly NftSetKey Endpoints = new(new NftTableKey(NftFamily.Ip, "kube-proxy"), "endpoints");
    private static readonly NftablesBackendOptions Large = new() { Family = IpFamily.IPv4, Masquerade = BackendHarness.Policy, LargeMap = 1 };
    private static readonly ServicePortPlan[] Wanted = [Plans.ClusterIp("a", "10.96.0.1", 1, 2, 3), Plans.ClusterIp("b", "10.96.0.2", 4), Plans.ClusterIp("c", "10.96.0.3", 5, 6) with { AffinityTimeout = TimeSpan.FromHours(3) }];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Restart_asks_for_what_it_wants_and_writes_nothing()
    {
        var nftables = new InMemoryNftables();
        await using (var before = await BackendHarness.StartAsync(nftables)) await before.FirstSyncAsync(Wanted);
        nftables.Counts.Reset();
        await using var harness = await BackendHarness.StartAsync(nftables, Large);
        Assert.Equal(0, (await harness.FirstSyncAsync(Wanted)).Operations);
        Assert.Equal(0, nftables.Counts.Commits);
        Assert.Equal(3 + 1 + 2, nftables.Counts.ElementsGot);
    }

    /// <summary>Slots of a frontend that is gone, and one beyond the size of the list of a frontend that is there.</summary>
    [Theory]
    [InlineData("10.96.0.9", 0)]
    [InlineData("10.96.0.1", 4)]
    public async Task What_nothing_leads_to_is_found_beside_and_removed(string frontend, uint slot)
    {
        var nftables = new InMemoryNftables();
        await using (var before = await BackendHarness.StartAsync(nftables)) await before.FirstSyncAsync(Wanted);
        var stray = new EndpointSlotCodec(IpFamily.IPv4, nodePorts: false).Encode(
            new EndpointSlot(new FrontendKey(IpAddr.Parse(frontend), Protocol.Tcp, 80), slot), new IpEndpoint(IpAddr.Parse("10.244.0.99"), 8080));
        var map = (await nftables.ReadTableAsync(Endpoints.Table, Cancel))!.Sets["endpoints"];
        await nftables.CommitAsync(new NftTransaction().AddElements(map, [stray]), Cancel);
        var count = nftables.Elements(Endpoints).Count;

        var done = new SemaphoreSlim(0);
        await using var harness = await BackendHarness.StartAsync(nftables, Large, requestSync: _ => done.Release());
        Assert.Equal(0, (await harness.FirstSyncAsync(Wanted)).Operations);
        Assert.True(await done.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        Assert.Equal(1, (await harness.SyncAsync()).Operations);
        Assert.Equal(count - 1, nftables.Elements(Endpoints).Count);
        Assert.Equal(0, (await harness.SyncAsync()).Operations);
    }

    /// <summary>A change meanwhile makes the search worthless; nothing is taken for a stray that came by it.</summary>
    [Fact]
    public async Task A_change_after_the_search_makes_it_worthless()
    {
        var nftables = new InMemoryNftables();
        await using (var before = await BackendHarness.StartAsync(nftables)) await before.FirstSyncAsync(Wanted);
        var done = new SemaphoreSlim(0);
        await using var harness = await BackendHarness.StartAsync(nftables, Large, requestSync: _ => done.Release());
        await harness.FirstSyncAsync(Wanted);
        Assert.True(await done.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        Assert.True((await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.1", 1))).Operations > 0);
        nftables.Counts.Reset();
        Assert.Equal(0, (await harness.SyncAsync()).Operations);
        Assert.Equal((0, 0), (nftables.Counts.Dumps, nftables.Counts.ElementsGot));
    }

    /// <summary>The gap ends the list for whoever asks; what is behind it is written again and is the same.</summary>
    [Fact]
    public async Task A_gap_in_a_list_is_filled()
    {
        var nftables = new InMemoryNftables();
        await using (var before = await BackendHarness.StartAsync(nftables)) await before.FirstSyncAsync(Wanted);
        var expected = nftables.Dump();
        var second = nftables.Elements(Endpoints).Single(element => Slot(element) is { Index: 1 } slot && slot.Frontend.Address == IpAddr.Parse("10.96.0.1"));
        await nftables.CommitAsync(new NftTransaction().DeleteElements((await nftables.ReadTableAsync(Endpoints.Table, Cancel))!.Sets["endpoints"], [second]), Cancel);
        await using var harness = await BackendHarness.StartAsync(nftables, Large);
        await harness.FirstSyncAsync(Wanted);
        Assert.Equal(expected, nftables.Dump());
    }

    private static EndpointSlot Slot(NftElement element) => new EndpointSlotCodec(IpFamily.IPv4, nodePorts: false).TryDecode(element, out var slot, out _) ? slot : default;
}
