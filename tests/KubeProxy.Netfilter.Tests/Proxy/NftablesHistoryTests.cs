using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;

namespace KubeProxy.Netfilter.Tests.Proxy;

/// <summary>
/// Whatever the history of changes, restarts, lost acknowledgements and foreign edits, the table ends as if it had been made at once.
/// </summary>
public class NftablesHistoryTests
{
    private static readonly NftTableKey Table = new(NftFamily.Ip, "kube-proxy");

    [Fact]
    public void Random_history_ends_as_from_scratch() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(150), Prop.ForAll(Histories().ToArbitrary(), (Action<Step[]>)(steps => ReplayAsync(steps).GetAwaiter().GetResult())));

    private static Gen<Step[]> Histories()
    {
        var step =
            from kind in Gen.Choose(0, 11)
            from service in Gen.Choose(0, 4)
            from shape in Gen.Choose(0, 5)
            from pods in Gen.ArrayOf(Gen.Choose(0, 6))
            select new Step(kind, service, shape, [.. pods.Distinct()]);
        return Gen.ArrayOf(step);
    }

    private static async Task ReplayAsync(Step[] steps)
    {
        var nftables = new InMemoryNftables();
        var wanted = new Dictionary<ServicePortName, ServicePortPlan>();
        var harness = await BackendHarness.StartAsync(nftables);
        await harness.FirstSyncAsync();
        foreach (var step in steps)
        {
            switch (step.Kind)
            {
                case 8:
                    var name = Plans.Name($"s{step.Service}");
                    if (wanted.Remove(name)) await harness.Backend.SyncAsync(new PlanChanges { Removed = [name] }, CancellationToken.None);
                    break;
                case 9:
                    harness = await BackendHarness.StartAsync(nftables);
                    await harness.FirstSyncAsync([.. wanted.Values]);
                    break;
                case 10:
                    var left = 1;
                    nftables.LoseAck = _ => left-- > 0 ? step.Shape % 2 == 0 ? LostAck.Applied : LostAck.NotApplied : LostAck.None;
                    break;
                case 11:
                    await EditAsync(nftables, step);
                    await harness.Backend.SyncAsync(new PlanChanges { Verify = true }, CancellationToken.None);
                    break;
                default:
                    var plan = PlanOf(step);
                    wanted[plan.Name] = plan;
                    await harness.SyncAsync(plan);
                    break;
            }
        }

        // The periodic check also removes dispatch chains that are no longer used.
        await harness.Backend.SyncAsync(new PlanChanges { Verify = true }, CancellationToken.None);
        var scratch = await BackendHarness.StartAsync();
        await scratch.FirstSyncAsync([.. wanted.Values]);
        Assert.Equal(Normalise(scratch.Nftables), Normalise(nftables));
    }

    private static async Task EditAsync(InMemoryNftables nftables, Step step)
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

    private static ServicePortPlan PlanOf(Step step)
    {
        var endpoints = Plans.Endpoints([.. step.Pods]);
        var local = Plans.Endpoints([.. step.Pods.Where(pod => pod < 3)]);
        var none = endpoints.IsEmpty ? Destination.Reject : Destination.ClusterEndpoints;
        var clusterIp = Plans.Frontend(FrontendKind.ClusterIP, $"10.96.0.{step.Service}", 80, none);
        var nodePort = Plans.Frontend(FrontendKind.NodePort, null, (ushort)(30000 + step.Service), none);
        var plan = new ServicePortPlan { Name = Plans.Name($"s{step.Service}"), Family = IpFamily.IPv4, ClusterEndpoints = endpoints, Frontends = [clusterIp] };
        var localDestination = !local.IsEmpty ? Destination.LocalEndpoints : endpoints.IsEmpty ? Destination.Reject : Destination.Drop;
        return step.Shape switch
        {
            0 or 1 => plan,
            2 => plan with { Frontends = [clusterIp, nodePort with { Masquerade = !endpoints.IsEmpty }] },
            3 => plan with
            {
                LocalEndpoints = local,
                HairpinAddresses = [.. local.Select(e => e.Address)],
                Frontends = [clusterIp, nodePort with { Destination = localDestination, ShortCircuit = !endpoints.IsEmpty }],
            },
            4 => plan with { AffinityTimeout = TimeSpan.FromSeconds(100 + step.Pods.Length) },
            _ => plan with
            {
                Frontends =
                [
                    clusterIp,
                    Plans.Frontend(FrontendKind.LoadBalancerIP, "198.18.20." + step.Service, 80, none) with
                    {
                        Masquerade = !endpoints.IsEmpty,
                        AllowedSources = [.. step.Pods.Select(p => new IpRange(IpAddr.Parse($"203.0.{p}.0"), IpAddr.Parse($"203.0.{p}.99")))],
                    },
                ],
            },
        };
    }

    // Which slot an endpoint is in depends on the history; which endpoints are in the slots 0 to N-1 does not.
    private static string Normalise(InMemoryNftables nftables)
    {
        var slots = nftables.ReadTableAsync(Table).Result!.Sets.Values.Where(set => set.Key.Name.EndsWith("endpoints", StringComparison.Ordinal));
        var lists = slots.SelectMany(set => nftables.Elements(set.Key).GroupBy(e => Frontend(e.Key)).Select(group =>
            $"{set.Key.Name} {group.Key}: {string.Join(',', group.Select(e => Index(e.Key)).Order())} = {string.Join(',', group.Select(e => e.Data.ToString()).Order())}"));
        var text = nftables.Dump().Split('\n').Where(line => !line.Contains(" . 8080", StringComparison.Ordinal));
        return string.Join('\n', [.. text, .. lists.Order(StringComparer.Ordinal)]);
    }

    private static string Frontend(NftData key) => Convert.ToHexString(key.Span[..^4]);

    private static uint Index(NftData key) => BitConverter.ToUInt32(key.Span[^4..]);

    public sealed record Step(int Kind, int Service, int Shape, ImmutableArray<int> Pods)
    {
        public override string ToString() => $"({Kind} s{Service} shape {Shape} pods {string.Join(',', Pods)})";
    }
}
