using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Tests.Backends;

namespace KubeProxy.Netfilter.Tests.Iptables;

/// <summary>Whatever the history of changes, restarts, lost acknowledgements and foreign edits, the rules end as if they had been made at once.</summary>
public class IptablesHistoryTests
{
    [Fact]
    public void Random_history_ends_as_from_scratch() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(60),
        Prop.ForAll(Histories().ToArbitrary(), (Action<Step[]>)(steps => ReplayAsync(steps).GetAwaiter().GetResult())));

    private static Gen<Step[]> Histories()
    {
        var step =
            from kind in Gen.Choose(0, 9)
            from service in Gen.Choose(0, 4)
            from shape in Gen.Choose(0, 2)
            from pods in Gen.ArrayOf(Gen.Choose(0, 6))
            select new Step(kind, service, shape, [.. pods.Distinct()]);
        return Gen.ArrayOf(step);
    }

    private static async Task ReplayAsync(Step[] steps)
    {
        var nftables = new InMemoryNftables();
        var wanted = new Dictionary<ServicePortName, ServicePortPlan>();
        var harness = await IptablesHarness.StartAsync(nftables);
        await harness.FirstSyncAsync();
        foreach (var step in steps)
        {
            var name = Plans.Name($"s{step.Service}");
            switch (step.Kind)
            {
                case 6:
                    if (wanted.Remove(name)) await harness.RemoveAsync(name);
                    break;
                case 7:
                    await harness.DisposeAsync();
                    harness = await IptablesHarness.StartAsync(nftables);
                    await harness.FirstSyncAsync([.. wanted.Values]);
                    break;
                case 8:
                    var left = 1;
                    nftables.LoseAck = _ => left-- > 0 ? step.Shape == 0 ? LostAck.Applied : LostAck.NotApplied : LostAck.None;
                    break;
                case 9:
                    await EditAsync(nftables, step);
                    await harness.VerifyAsync();
                    break;
                default:
                    await harness.SyncAsync(wanted[name] = PlanOf(step));
                    break;
            }
        }

        nftables.LoseAck = null;
        await harness.VerifyAsync();
        await IptablesBackendTests.AssertAsFromScratchAsync(harness, [.. wanted.Values]);
        await harness.DisposeAsync();
    }

    private static ServicePortPlan PlanOf(Step step)
    {
        var plan = Plans.ClusterIp($"s{step.Service}", $"10.96.0.{step.Service + 20}", step.Pods);
        if (step.Shape == 0 || step.Pods.Length == 0) return plan;
        var nodePort = Plans.Frontend(FrontendKind.NodePort, null, (ushort)(30000 + step.Service), Destination.ClusterEndpoints) with { Masquerade = true };
        return plan with { Frontends = plan.Frontends.Add(nodePort), AffinityTimeout = step.Shape == 2 ? TimeSpan.FromMinutes(1) : null };
    }

    // Somebody empties a chain of ours, or deletes everything.
    private static async Task EditAsync(InMemoryNftables nftables, Step step)
    {
        nftables.LoseAck = null;
        var table = IptablesTable.Nat.Key(IpFamily.IPv4);
        if (step.Shape == 0)
        {
            await nftables.CommitAsync(new NftTransaction().Delete(table));
            return;
        }

        if (await nftables.ReadTableAsync(table) is not { } content) return;
        var chain = content.Chains.Keys.Order(StringComparer.Ordinal).ElementAt(step.Service * 3 % content.Chains.Count);
        await nftables.CommitAsync(new NftTransaction().Flush(new NftChainKey(table, chain)));
    }

    private sealed record Step(int Kind, int Service, int Shape, int[] Pods);
}
