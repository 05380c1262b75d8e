using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Ipvs.Backend;
using KubeProxy.Netfilter.Tests.Backends;
using static KubeProxy.Ipvs.Tests.Backend.IpvsHarness;

namespace KubeProxy.Ipvs.Tests.Backend;

/// <summary>The kernel's list of destinations is linear: a long one takes long, and must not keep other services waiting.</summary>
public class LongListTests
{
    private const int Long = 20_000;

    [Fact]
    public async Task Other_changes_are_not_kept_waiting_by_a_list_that_takes_long()
    {
        await using var harness = await StartAsync();
        var result = await harness.FirstSyncAsync(LongList(Long), Plans.ClusterIp("small", "10.96.0.10", 1));
        Assert.Equal(1, result.Pending);
        Assert.InRange((await DestinationsAsync(harness, "10.96.0.20")).Count, 1, Long - 1);
        Assert.Single(await DestinationsAsync(harness, "10.96.0.10"));

        result = await harness.SyncAsync(Plans.ClusterIp("small", "10.96.0.10", 1, 2));
        Assert.Equal(1, result.Pending);
        Assert.Equal(2, (await DestinationsAsync(harness, "10.96.0.10")).Count);
        Assert.InRange(await FinishAsync(harness), 2, 20);
        Assert.Equal(Long, (await DestinationsAsync(harness, "10.96.0.20")).Count);

        // It shrinks in steps too, and grows again in the middle of that.
        Assert.Equal(1, (await harness.SyncAsync(LongList(10))).Pending);
        await harness.SyncAsync(LongList(Long / 2));
        await FinishAsync(harness);
        Assert.Equal(Long / 2, (await DestinationsAsync(harness, "10.96.0.20")).Count);
        Assert.Equal(0, (await harness.VerifyAsync()).Operations);
    }

    [Fact]
    public void Steps_lead_where_one_leap_does()
    {
        Prop.ForAll(Lists().Zip(Lists()).Zip(Gen.Choose(1, 5)).ToArbitrary(), input =>
        {
            var ((from, to), room) = input;
            if (from.IsEmpty && to.IsEmpty) return true;
            var wanted = new VirtualServer(Service) { Endpoints = to.Endpoints };
            VirtualServer? found = from.IsEmpty ? null : from;
            List<IpvsOperation> whole = [];
            var leap = VirtualServerDifference.Write(found, wanted, whole);
            for (var turns = 0; turns < 100; turns++)
            {
                List<IpvsOperation> step = [];
                found = VirtualServerDifference.Write(found, wanted, step, room);
                if (step.Count == 0) break;
                Assert.InRange(step.Count, 1, room + 1);
                Assert.Equal(step, whole.Take(step.Count));
                whole.RemoveRange(0, step.Count);
            }

            return whole.Count == 0 && found == leap;
        }).QuickCheckThrowOnFailure();
    }

    private static readonly VirtualService Service = new() { Key = Tcp("10.96.0.20"), Scheduler = "rr" };

    private static Gen<VirtualServer> Lists() =>
        from marks in Gen.Choose(0, 4).ArrayOf(12)
        select new VirtualServer(Service) { Endpoints = Marked(marks, 1), Draining = Marked(marks, 2), Odd = Marked(marks, 3) };

    private static ImmutableArray<IpEndpoint> Marked(int[] marks, int mark) => [.. Enumerable.Range(0, marks.Length).Where(i => marks[i] == mark).Select(Endpoint).Order()];

    private static async Task<int> FinishAsync(IpvsHarness harness)
    {
        for (var turns = 1; ; turns++)
        {
            Assert.InRange(turns, 1, 100);
            if ((await harness.Backend.SyncAsync(PlanChanges.None, TestContext.Current.CancellationToken)).Pending == 0) return turns;
        }
    }

    private static ServicePortPlan LongList(int count) => Plans.ClusterIp("long", "10.96.0.20", 1) with { ClusterEndpoints = [.. Enumerable.Range(0, count).Select(Endpoint).Order()] };

    private static IpEndpoint Endpoint(int index) => new(IpAddr.Parse($"10.{128 + (index / 62_500)}.{index / 250 % 250}.{(index % 250) + 1}"), 8080);

    private static async Task<IReadOnlyList<DestinationState>> DestinationsAsync(IpvsHarness harness, string address) => await harness.Ipvs.ListDestinationsAsync(Tcp(address));
}
