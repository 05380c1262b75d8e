using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>
/// Whatever the history of changes, restarts, lost acknowledgements and foreign edits, the table ends as if it had been made at once.
/// </summary>
public class NftablesHistoryTests
{
    private static readonly NftTableKey Table = new(NftFamily.Ip, "kube-proxy");

    /// <summary>Whether large maps are dumped, or the lists in them asked for.</summary>
    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(1)]
    public void Random_history_ends_as_from_scratch(int largeMap) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(150), Prop.ForAll(PlanHistory.Any().ToArbitrary(), (Action<PlanStep[]>)(steps => ReplayAsync(steps, largeMap).GetAwaiter().GetResult())));

    private static async Task ReplayAsync(PlanStep[] steps, int largeMap)
    {
        var options = new NftablesBackendOptions { Family = IpFamily.IPv4, Masquerade = BackendHarness.Policy, LargeMap = largeMap };
        var nftables = new InMemoryNftables();
        var wanted = new Dictionary<ServicePortName, ServicePortPlan>();
        var harness = await BackendHarness.StartAsync(nftables, options);
        await harness.FirstSyncAsync();
        foreach (var step in steps)
        {
            switch (step.Kind)
            {
                case PlanStep.Removal:
                    var name = Plans.Name($"s{step.Service}");
                    if (wanted.Remove(name)) await harness.Backend.SyncAsync(new PlanChanges { Removed = [name] }, CancellationToken.None);
                    break;
                case PlanStep.Restart:
                    harness = await BackendHarness.StartAsync(nftables, options);
                    await harness.FirstSyncAsync([.. wanted.Values]);
                    break;
                case PlanStep.LostAnswer:
                    var left = 1;
                    nftables.LoseAck = _ => left-- > 0 ? step.Shape % 2 == 0 ? LostAck.Applied : LostAck.NotApplied : LostAck.None;
                    break;
                case PlanStep.ForeignEdit:
                    await EditAsync(nftables, step);
                    await harness.Backend.SyncAsync(new PlanChanges { Verify = true }, CancellationToken.None);
                    break;
                default:
                    var plan = step.ToPlan();
                    wanted[plan.Name] = plan;
                    await harness.SyncAsync(plan);
                    break;
            }
        }

        // The periodic check also removes chains for lists longer than any that is left.
        await harness.Backend.SyncAsync(new PlanChanges { Verify = true }, CancellationToken.None);
        var scratch = await BackendHarness.StartAsync();
        await scratch.FirstSyncAsync([.. wanted.Values]);
        Assert.Equal(TableContent.Comparable(scratch.Nftables, Table), TableContent.Comparable(nftables, Table));
    }

    private static async Task EditAsync(InMemoryNftables nftables, PlanStep step)
    {
        var edit = new NftTransaction();
        edit = (step.Shape % 3) switch
        {
            0 => edit.Flush(new NftSetKey(Table, "endpoints")),
            1 => edit.Flush(new NftChainKey(Table, "services")),
            _ => edit.Delete(Table),
        };
        nftables.LoseAck = null;
        await nftables.CommitAsync(edit);
    }
}
