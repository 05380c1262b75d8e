using System.Diagnostics;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Benchmarks;

/// <summary>
/// What the kernel's part of the iptables mode depends on: order and size of batches, and what a single change consists of.
/// Rules of the shape that the backend writes, sent by the client with nothing around it.
/// </summary>
internal static class IptablesOrders
{
    private const int Repetitions = 20;
    private static readonly IptablesChain Services = new(IptablesTable.Nat, "KUBE-SERVICES");
    private static readonly IptablesChain MarkMasquerade = new(IptablesTable.Nat, "KUBE-MARK-MASQ");
    private static readonly IptablesChain[] Hooks = [new(IptablesTable.Nat, "PREROUTING"), new(IptablesTable.Nat, "OUTPUT")];
    private static readonly ProtocolMatch Tcp = new(Protocol.Tcp);

    private enum Order
    {
        /// <summary>All chains, then the rules of one service after the other.</summary>
        ByService,

        /// <summary>Each chain with its rules, endpoints first.</summary>
        ChainByChain,

        /// <summary>All rules of endpoints, then those that choose among them, then KUBE-SERVICES.</summary>
        ByLevel,

        /// <summary>Random.</summary>
        Shuffled,
    }

    public static async Task<List<string[]>> RunAsync(int services)
    {
        var rows = new List<string[]>();
        foreach (var (order, size, jumpsFirst, reverse) in new[]
        {
            (Order.ByService, 8192, false, false), // warms up
            (Order.ByService, 256, false, false), (Order.ByService, 1024, false, false), (Order.ByService, 8192, false, false),
            (Order.ByService, 65536, false, false), (Order.ByService, int.MaxValue, false, false), (Order.ByService, 8192, false, true),
            (Order.ChainByChain, 8192, false, false), (Order.ByLevel, 8192, false, false), (Order.Shuffled, 8192, false, false),
            (Order.ByService, 8192, true, false),
        })
            rows.Add(await MeasureAsync(services, order, size, jumpsFirst, reverse));
        rows.RemoveAt(0);
        return rows;
    }

    public static readonly string[] Header =
        ["order", "batch", "load ms", "of it in the kernel", "last ms", "add jump", "add accept", "add -p", "add -s", "new chain", "replace all", "delete", "edit SVC"];

    private static async Task<string[]> MeasureAsync(int services, Order order, int size, bool jumpsFirst, bool reverse)
    {
        await using var client = NftablesClient.Open();
        GC.Collect();
        var (load, kernel, last) = await LoadAsync(client, services, order, size, jumpsFirst, reverse);
        var extra = new IptablesChain(IptablesTable.Nat, "KUBE-EXTRA");
        var key = Services.Key(IpFamily.IPv4);
        string[] row =
        [
            order + (jumpsFirst ? ", jumps first" : "") + (reverse ? ", inserted" : ""), size == int.MaxValue ? "all" : $"{size}", $"{load:0}", $"{kernel:0}", $"{last:0.0}",
            await RepeatAsync(client, t => t.Insert(key, Encode(Jump(MarkMasquerade)))),
            await RepeatAsync(client, t => t.Insert(key, Encode(new IptablesRule { Target = IptablesTarget.Return, Source = Address(1) }))),
            await RepeatAsync(client, t => t.Insert(key, Encode(new IptablesRule { Protocol = Tcp }))),
            await RepeatAsync(client, t => t.Insert(key, Encode(new IptablesRule { Source = Address(1) }))),
            await RepeatAsync(client, t => t.Add(extra.Definition(IpFamily.IPv4))),
            await RepeatAsync(client, t => Replace(t, services / 2)),
            await DeleteAsync(client),
            await RepeatAsync(client, t => t.Add(Cluster(services / 2).Key(IpFamily.IPv4), Encode(Jump(Endpoint(services / 2, 1))))),
        ];
        var transaction = new NftTransaction();
        transaction.Delete(IptablesTable.Nat.Key(IpFamily.IPv4));
        await client.CommitAsync(transaction);
        return row;
    }

    private static async Task<(double Total, double Kernel, double Last)> LoadAsync(NftablesClient client, int services, Order order, int size, bool jumpsFirst, bool reverse)
    {
        var steps = Steps(services, order, reverse).ToList();
        if (order == Order.Shuffled)
        {
            var random = new Random(1);
            var chains = steps.Where(step => step.IsChain).ToArray();
            var rules = steps.Where(step => !step.IsChain).ToArray();
            random.Shuffle(rules);
            steps = [.. chains, .. rules];
        }

        var jumps = Hooks.Select(hook => new Step(false, t => t.Add(hook.Key(IpFamily.IPv4), Encode(Jump(Services)))));
        Step[] head =
        [
            new(true, t => t.Add(new NftTable(IptablesTable.Nat.Key(IpFamily.IPv4)))),
            .. Hooks.Append(Services).Append(MarkMasquerade).Select(chain => new Step(true, t => t.Add(chain.Definition(IpFamily.IPv4)))),
            new(false, t => t.Add(MarkMasquerade.Key(IpFamily.IPv4), Encode(new IptablesRule { Target = MarkTarget.Or(0x4000) }))),
        ];
        Step[] all = jumpsFirst ? [.. head, .. jumps, .. steps] : [.. head, .. steps, .. jumps];
        var (total, last, kernel) = (0.0, 0.0, Environment.CpuUsage.PrivilegedTime);
        foreach (var chunk in all.Chunk(size))
        {
            var transaction = new NftTransaction();
            foreach (var step in chunk) step.AddTo(transaction);
            last = await TimeAsync(client, transaction);
            total += last;
        }

        return (total, (Environment.CpuUsage.PrivilegedTime - kernel).TotalMilliseconds, last);
    }

    private static IEnumerable<Step> Steps(int services, Order order, bool reverse)
    {
        for (var i = 0; i < services && order != Order.ChainByChain; i++)
        {
            for (var e = 0; e < KubeProxy.Benchmarks.Cluster.EndpointsPerService; e++) yield return Chain(Endpoint(i, e));
            yield return Chain(Cluster(i));
        }

        for (var i = 0; i < services; i++)
        {
            for (var e = 0; e < KubeProxy.Benchmarks.Cluster.EndpointsPerService; e++)
            {
                if (order == Order.ChainByChain) yield return Chain(Endpoint(i, e));
                foreach (var step in EndpointRules(i, e)) yield return step;
            }

            if (order == Order.ByLevel) continue;
            if (order == Order.ChainByChain) yield return Chain(Cluster(i));
            foreach (var step in ClusterRules(i)) yield return step;
            if (!reverse) yield return Dispatch(i, false);
        }

        for (var i = 0; i < services && order == Order.ByLevel; i++)
            foreach (var step in ClusterRules(i)) yield return step;
        for (var i = 0; i < services && (order == Order.ByLevel || reverse); i++) yield return Dispatch(i, reverse);
    }

    private static Step Chain(IptablesChain chain) => new(true, t => t.Add(chain.Definition(IpFamily.IPv4)));

    private static IEnumerable<Step> EndpointRules(int service, int endpoint)
    {
        var key = Endpoint(service, endpoint).Key(IpFamily.IPv4);
        var address = Address((service * 16) + endpoint);
        yield return new Step(false, t => t.Add(key, Encode(Jump(MarkMasquerade) with { Source = address })));
        yield return new Step(false, t => t.Add(key, Encode(new IptablesRule { Protocol = Tcp, Matches = [PortMatch.Any], Target = new DnatTarget(new IpEndpoint(address.Block.First, 8080)) })));
    }

    private static IEnumerable<Step> ClusterRules(int service)
    {
        var key = Cluster(service).Key(IpFamily.IPv4);
        yield return new Step(false, t => t.Add(key, Encode(Dispatch(service, MarkMasquerade) with { Source = new AddressMatch(Cidr.Parse("11.0.0.0/8"), Negated: true) })));
        const int Count = KubeProxy.Benchmarks.Cluster.EndpointsPerService;
        for (var e = 0; e < Count; e++)
        {
            var rule = Jump(Endpoint(service, e));
            if (e < Count - 1) rule = rule with { Matches = [StatisticMatch.Of(1.0 / (Count - e))] };
            yield return new Step(false, t => t.Add(key, Encode(rule)));
        }
    }

    private static Step Dispatch(int service, bool insert)
    {
        var rule = Dispatch(service, Cluster(service));
        return new Step(false, t => insert ? t.Insert(Services.Key(IpFamily.IPv4), Encode(rule)) : t.Add(Services.Key(IpFamily.IPv4), Encode(rule)));
    }

    private static IptablesRule Dispatch(int service, IptablesChain to) => Jump(to) with
    {
        Destination = new AddressMatch(Cidr.Single(IpAddr.Parse(KubeProxy.Benchmarks.Cluster.ClusterIp(service)))),
        Protocol = Tcp,
        Matches = [new CommentMatch($"bench/service-{service}:http cluster IP"), new PortMatch(null, PortRange.Single(80))],
    };

    private static NftTransaction Replace(NftTransaction transaction, int service)
    {
        var key = Cluster(service).Key(IpFamily.IPv4);
        transaction.Flush(key);
        foreach (var step in ClusterRules(service)) step.AddTo(transaction);
        return transaction;
    }

    // Of the rules that were inserted before all others.
    private static async Task<string> DeleteAsync(NftablesClient client)
    {
        var handles = new List<ulong>();
        await client.VisitRulesAsync(IptablesTable.Nat.Key(IpFamily.IPv4), Services.Name, (_, rule) =>
        {
            if (handles.Count < Repetitions) handles.Add(rule.Handle);
        }, handles.Clear);
        var next = 0;
        return await RepeatAsync(client, t => t.Delete(Services.Key(IpFamily.IPv4), handles[next++]));
    }

    private static async Task<string> RepeatAsync(NftablesClient client, Func<NftTransaction, NftTransaction> change)
    {
        var times = new double[Repetitions];
        for (var i = 0; i < Repetitions; i++) times[i] = await TimeAsync(client, change(new NftTransaction()));
        Array.Sort(times);
        return $"{times[Repetitions / 2]:0.00}";
    }

    private static async Task<double> TimeAsync(NftablesClient client, NftTransaction transaction)
    {
        var start = Stopwatch.GetTimestamp();
        await client.CommitAsync(transaction);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static AddressMatch Address(int number) => new(Cidr.Single(IpAddr.Parse($"11.{(number >> 16) & 255}.{(number >> 8) & 255}.{number & 255}")));

    private static IptablesRule Jump(IptablesChain chain) => new() { Target = IptablesTarget.Jump(chain.Name) };

    private static IptablesChain Cluster(int service) => new(IptablesTable.Nat, $"KUBE-SVC-{service:D16}");

    private static IptablesChain Endpoint(int service, int endpoint) => new(IptablesTable.Nat, $"KUBE-SEP-{service:D12}{endpoint:D4}");

    private static NftRule Encode(IptablesRule rule) => IptablesClient.Encode(rule, IpFamily.IPv4);

    private sealed record Step(bool IsChain, Func<NftTransaction, NftTransaction> AddTo);
}
