using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Tests.Backends;

namespace KubeProxy.Ipvs.Tests.Backend;

/// <summary>
/// Whatever the history of changes, restarts, lost acknowledgements and foreign edits: IPVS, the virtual addresses and the table end as
/// if they had been made at once.
/// </summary>
public sealed class IpvsHistoryTests
{
    private static readonly NftTableKey Table = new(NftFamily.Ip, "kube-proxy");

    [Fact]
    public void Random_history_ends_as_from_scratch() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(100), Prop.ForAll(PlanHistory.Any().ToArbitrary(), (Action<PlanStep[]>)(steps => ReplayAsync(steps).GetAwaiter().GetResult())));

    private static async Task ReplayAsync(PlanStep[] steps)
    {
        var wanted = new Dictionary<ServicePortName, ServicePortPlan>();
        var harness = await IpvsHarness.StartAsync();
        await harness.FirstSyncAsync();
        foreach (var step in steps)
        {
            switch (step.Kind)
            {
                case PlanStep.Removal:
                    var name = Plans.Name($"s{step.Service}");
                    if (wanted.Remove(name)) await harness.RemoveAsync($"s{step.Service}");
                    break;
                case PlanStep.Restart:
                    await harness.DisposeAsync();
                    harness = await IpvsHarness.StartAsync(harness.Memory);
                    await harness.FirstSyncAsync([.. wanted.Values]);
                    break;
                case PlanStep.LostAnswer:
                    var left = 1;
                    harness.Memory.Nftables.LoseAck = _ => left-- > 0 ? step.Shape % 2 == 0 ? LostAck.Applied : LostAck.NotApplied : LostAck.None;
                    break;
                case PlanStep.ForeignEdit:
                    await EditAsync(harness, step);
                    await harness.VerifyAsync();
                    break;
                default:
                    var plan = step.ToPlan();
                    wanted[plan.Name] = plan;
                    await harness.SyncAsync(plan);
                    break;
            }
        }

        // The periodic check also removes chains for lists longer than any that is left.
        await harness.VerifyAsync();
        await using var scratch = await IpvsHarness.StartAsync();
        await scratch.FirstSyncAsync([.. wanted.Values]);
        Assert.Equal(await scratch.ListAsync(), await harness.ListAsync());
        Assert.Equal(await scratch.BoundAsync(), await harness.BoundAsync());
        Assert.Equal(Rules(scratch), Rules(harness));
        await harness.DisposeAsync();
    }

    private static async Task EditAsync(IpvsHarness harness, PlanStep step)
    {
        harness.Memory.Nftables.LoseAck = null;
        var key = IpvsHarness.Tcp($"10.96.0.{step.Service}");
        var service = (await harness.Ipvs.ListServicesAsync()).Select(state => state.Service).FirstOrDefault(service => service.Key == key);
        switch (step.Shape)
        {
            case 0:
                await harness.Ipvs.FlushAsync();
                break;
            case 1:
                await harness.Memory.Nftables.CommitAsync(new NftTransaction().Delete(Table));
                break;
            case 2 when service is not null:
                await harness.Ipvs.ApplyAsync([new IpvsOperation.SetService(service with { Scheduler = "sh", Persistence = TimeSpan.FromSeconds(7) })]);
                break;
            case 3 when service is not null:
                foreach (var state in await harness.Ipvs.ListDestinationsAsync(key))
                    await harness.Ipvs.ApplyAsync([new IpvsOperation.SetDestination(key, state.Destination with { Weight = 0 })]);
                break;
            case 4 when service is not null:
                await harness.Ipvs.ApplyAsync([new IpvsOperation.AddDestination(key, new Destination { Endpoint = new IpEndpoint(IpAddr.Parse("192.0.2.99"), 1) })]);
                break;
            default:
                foreach (var link in (await harness.Memory.Routes.ListLinksAsync()).Where(link => link.Name == "kube-ipvs0")) await harness.Memory.Routes.DeleteLinkAsync(link.Index);
                break;
        }
    }

    internal static string Rules(IpvsHarness harness) => string.Join(
        '\n', new[] { NftFamily.Ip, NftFamily.Ip6 }.Select(family => new NftTableKey(family, "kube-proxy"))
            .Where(table => harness.Memory.Nftables.ReadTableAsync(table).Result is not null)
            .Select(table => TableContent.Comparable(harness.Memory.Nftables, table)));
}
