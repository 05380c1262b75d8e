using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Kernel.Tests.Backends;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Tests.Backends;

namespace KubeProxy.Kernel.Tests.Iptables;

/// <summary>Whatever the history of changes, restarts, lost answers and foreign edits, the kernel ends as if all had been written at once.</summary>
public sealed class IptablesHistoryKernelTests
{
    private const int Histories = 5;

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void Any_history_ends_as_from_scratch(IpFamily family) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(Histories).WithStartSize(10).WithEndSize(25),
        Prop.ForAll(PlanHistory.Any().ToArbitrary(), (Action<PlanStep[]>)(steps => ReplayAsync(family, steps).GetAwaiter().GetResult())));

    private static async Task ReplayAsync(IpFamily family, PlanStep[] steps)
    {
        var fate = BatchFate.Delivered;
        await using var node = new IptablesNode(IptablesNode.CreateNamespace(), family, wire: socket => new WireTap(socket) { FateOfBatch = TakeFate });
        await node.StartAsync();
        await node.FirstSyncAsync();
        var wanted = new Dictionary<ServicePortName, ServicePortPlan>();
        foreach (var step in steps)
        {
            switch (step.Kind)
            {
                case PlanStep.Removal:
                    var name = Plans.Name($"s{step.Service}");
                    if (wanted.Remove(name)) await node.SyncAsync(new PlanChanges { Removed = [name] });
                    break;
                case PlanStep.Restart:
                    await node.RestartAsync();
                    await node.FirstSyncAsync([.. wanted.Values]);
                    break;
                case PlanStep.LostAnswer:
                    fate = step.Shape % 2 == 0 ? BatchFate.Unanswered : BatchFate.Vanished;
                    break;
                case PlanStep.ForeignEdit:
                    Edit(node, step);
                    await node.SyncAsync(new PlanChanges { Verify = true });
                    break;
                default:
                    var plan = family == IpFamily.IPv4 ? step.ToPlan() : step.ToPlan().ToIPv6();
                    wanted[plan.Name] = plan;
                    await node.SyncAsync(new PlanChanges { Updated = [plan] });
                    break;
            }
        }

        fate = BatchFate.Delivered;
        await node.SyncAsync(new PlanChanges { Verify = true });
        await IptablesBackendKernelTests.AssertInForceAsync(node, [.. wanted.Values]);
        Assert.Equal(0, (await node.SyncAsync(new PlanChanges { Verify = true })).Operations);

        BatchFate TakeFate()
        {
            var taken = fate;
            fate = BatchFate.Delivered;
            return taken;
        }
    }

    private static void Edit(IptablesNode node, PlanStep step)
    {
        switch (step.Shape % 4)
        {
            case 0:
                node.Namespace.Exec(node.Tool(), "-t", "nat", "-F", "KUBE-SERVICES");
                break;
            case 1:
                node.Namespace.Exec("nft", "flush", "ruleset");
                break;
            case 2:
                node.Namespace.Exec(node.Tool(), "-t", "filter", "-D", "FORWARD", "1");
                break;
            default:
                // An endpoint's chain loses its last rule.
                var chains = node.Save(IptablesTable.Nat).Select(line => line.Split(' ')[1]).Where(chain => chain.StartsWith("KUBE-SEP-", StringComparison.Ordinal)).Distinct().Order().ToArray();
                if (chains.Length > 0) node.Namespace.Exec(node.Tool(), "-t", "nat", "-D", chains[step.Service % chains.Length], "2");
                break;
        }
    }
}
