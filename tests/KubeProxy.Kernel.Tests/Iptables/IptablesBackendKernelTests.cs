using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Proxy;
using KubeProxy.Netfilter.Tests.Proxy;

namespace KubeProxy.Kernel.Tests.Iptables;

public class IptablesBackendKernelTests
{
    private static readonly IptablesTable[] Tables = [IptablesTable.Nat, IptablesTable.Filter];

    [Fact]
    public async Task The_real_tools_print_what_we_wrote()
    {
        await using var node = new IptablesNode(IptablesNode.CreateNamespace());
        await node.StartAsync();
        await node.FirstSyncAsync(Plans.EveryKind());
        foreach (var table in Tables)
        {
            var saved = node.Save(table);
            Assert.NotEmpty(saved);
            Assert.Equal(saved.Order(StringComparer.Ordinal), (await node.OwnSaveAsync(table)).Order(StringComparer.Ordinal));
            Assert.Contains("KUBE-SERVICES", node.Namespace.Exec("iptables-nft", "-t", table.NftName(), "-L", "-n", "-v"), StringComparison.Ordinal);
        }

        var all = node.Namespace.Exec("iptables-nft-save");
        node.Namespace.ExecWithInput(all, "iptables-nft-restore", "--test");
        Assert.Contains("KUBE-SERVICES", node.Namespace.Exec("nft", "list", "ruleset"), StringComparison.Ordinal);
        Assert.DoesNotContain("incompatible", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task IPv6_is_printed_as_we_wrote_it_too()
    {
        await using var node = new IptablesNode(IptablesNode.CreateNamespace(), IpFamily.IPv6);
        await node.StartAsync();
        await node.FirstSyncAsync(Six());
        foreach (var table in Tables)
            Assert.Equal(node.Save(table).Order(StringComparer.Ordinal), (await node.OwnSaveAsync(table)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public async Task What_the_real_tool_restores_is_taken_over_without_a_write(IpFamily family)
    {
        await using var ours = new IptablesNode(IptablesNode.CreateNamespace(), family);
        ServicePortPlan[] plans = family == IpFamily.IPv4 ? [.. Plans.EveryKind()] : Six();
        await ours.StartAsync();
        await ours.FirstSyncAsync(plans);
        await using var theirs = new IptablesNode(IptablesNode.CreateNamespace(), family);
        await theirs.StartAsync(); // makes the accounting objects, which rules refer to
        var tools = family == IpFamily.IPv4 ? "iptables-nft" : "ip6tables-nft";
        theirs.Namespace.ExecWithInput(ours.Namespace.Exec(tools + "-save"), tools + "-restore");

        foreach (var table in Tables)
        {
            var (a, b) = (await ours.Client.ReadAsync(table, TestContext.Current.CancellationToken), await theirs.Client.ReadAsync(table, TestContext.Current.CancellationToken));
            foreach (var (name, content) in a) Assert.Equal(content.Rules.Select(rule => rule.Rule), b[name].Rules.Select(rule => rule.Rule));
        }

        var result = await theirs.FirstSyncAsync(plans);
        Assert.Equal(0, result.Operations);
    }

    [Fact]
    public async Task A_restart_writes_nothing_and_a_changed_endpoint_little()
    {
        await using var node = new IptablesNode(IptablesNode.CreateNamespace());
        await node.StartAsync();
        await node.FirstSyncAsync(Plans.EveryKind());
        await node.RestartAsync();
        Assert.Equal(0, (await node.FirstSyncAsync(Plans.EveryKind())).Operations);
        Assert.Equal(7, (await node.SyncAsync(new PlanChanges { Updated = [Plans.ClusterIp("cluster", "10.96.0.10", 1, 2, 4)] })).Operations);
    }

    [Fact]
    public async Task Foreign_changes_of_our_rules_are_noticed_and_repaired_and_others_are_not()
    {
        await using var node = new IptablesNode(IptablesNode.CreateNamespace());
        var noticed = new SemaphoreSlim(0);
        await node.StartAsync(_ => noticed.Release());
        await node.FirstSyncAsync(Plans.EveryKind());
        while (await noticed.WaitAsync(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken))
        {
            // What was there before.
        }

        node.Namespace.Exec("iptables-nft", "-A", "INPUT", "-s", "192.0.2.1", "-j", "DROP");
        Assert.False(await noticed.WaitAsync(TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken));
        var before = node.Save(IptablesTable.Nat);
        node.Namespace.Exec("iptables-nft", "-t", "nat", "-F", "KUBE-SERVICES");
        node.Namespace.Exec("iptables-nft", "-t", "nat", "-F", "PREROUTING");
        Assert.True(await noticed.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        Assert.True((await node.SyncAsync(PlanChanges.None)).Repaired > 0);
        Assert.Equal(before.Order(StringComparer.Ordinal), node.Save(IptablesTable.Nat).Order(StringComparer.Ordinal));
        Assert.Contains("-A INPUT -s 192.0.2.1/32 -j DROP", node.Save(IptablesTable.Filter));
    }

    [Fact]
    public async Task Everything_flushed_by_nft_is_written_again()
    {
        await using var node = new IptablesNode(IptablesNode.CreateNamespace());
        await node.StartAsync();
        await node.FirstSyncAsync(Plans.EveryKind());
        var before = node.Save(IptablesTable.Nat);
        node.Namespace.Exec("nft", "flush", "ruleset");
        await node.SyncAsync(new PlanChanges { Verify = true });
        Assert.Equal(before.Order(StringComparer.Ordinal), node.Save(IptablesTable.Nat).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Cleanup_leaves_only_what_others_have()
    {
        await using var node = new IptablesNode(IptablesNode.CreateNamespace());
        await node.StartAsync();
        await node.FirstSyncAsync(Plans.EveryKind());
        node.Namespace.Exec("iptables-nft", "-A", "INPUT", "-s", "192.0.2.1", "-j", "DROP");
        await IptablesCleanup.RunAsync(node.Connection.Client, IpFamily.IPv4, TestContext.Current.CancellationToken);
        Assert.Empty(node.Save(IptablesTable.Nat));
        Assert.DoesNotContain("KUBE-SERVICES", node.Namespace.Exec("iptables-nft-save"), StringComparison.Ordinal);
        Assert.Contains("-A INPUT -s 192.0.2.1/32 -j DROP", node.Save(IptablesTable.Filter));
    }

    [Fact]
    public async Task Any_history_ends_as_from_scratch()
    {
        var random = new Random(20260101);
        await using var node = new IptablesNode(IptablesNode.CreateNamespace());
        await node.StartAsync();
        await node.FirstSyncAsync();
        var wanted = new Dictionary<ServicePortName, ServicePortPlan>();
        for (var step = 0; step < 60; step++)
        {
            var service = random.Next(6);
            var name = Plans.Name($"s{service}");
            if (random.Next(4) == 0 && wanted.Remove(name))
            {
                await node.SyncAsync(new PlanChanges { Removed = [name] });
                continue;
            }

            var plan = Random(random, service);
            wanted[plan.Name] = plan;
            await node.SyncAsync(new PlanChanges { Updated = [plan] });
        }

        await using var scratch = new IptablesNode(IptablesNode.CreateNamespace());
        await scratch.StartAsync();
        await scratch.FirstSyncAsync([.. wanted.Values]);
        foreach (var table in Tables)
            Assert.Equal(scratch.Save(table).Order(StringComparer.Ordinal), node.Save(table).Order(StringComparer.Ordinal));
        Assert.Equal(0, (await node.SyncAsync(new PlanChanges { Verify = true })).Operations);
    }

    private static ServicePortPlan Random(Random random, int service)
    {
        int[] pods = [.. Enumerable.Range(0, 8).Where(_ => random.Next(2) == 0)];
        var plan = Plans.ClusterIp($"s{service}", $"10.96.0.{service + 20}", pods);
        if (pods.Length == 0) return plan;
        var external = Plans.Frontend(FrontendKind.NodePort, null, (ushort)(30000 + service), Destination.ClusterEndpoints) with { Masquerade = true };
        return plan with
        {
            AffinityTimeout = random.Next(3) == 0 ? TimeSpan.FromSeconds(60) : null,
            Frontends = random.Next(2) == 0 ? plan.Frontends : plan.Frontends.Add(external),
        };
    }

    private static ServicePortPlan[] Six()
    {
        var endpoint = IpAddr.Parse("fd00:10:244:1::11");
        return
        [
            new()
            {
                Name = Plans.Name("six"),
                Family = IpFamily.IPv6,
                AffinityTimeout = TimeSpan.FromHours(3),
                Frontends =
                [
                    Plans.Frontend(FrontendKind.ClusterIP, "fd00:10:96::10", 80, Destination.ClusterEndpoints),
                    Plans.Frontend(FrontendKind.NodePort, null, 30080, Destination.LocalEndpoints) with { ShortCircuit = true },
                ],
                ClusterEndpoints = [new IpEndpoint(endpoint, 8080), new IpEndpoint(IpAddr.Parse("fd00:10:244:2::11"), 8080)],
                LocalEndpoints = [new IpEndpoint(endpoint, 8080)],
            },
            new()
            {
                Name = Plans.Name("none", Protocol.Sctp),
                Family = IpFamily.IPv6,
                Frontends = [Plans.Frontend(FrontendKind.ClusterIP, "fd00:10:96::11", 80, Destination.Reject, Protocol.Sctp)],
            },
            new()
            {
                Name = Plans.Name("sctp", Protocol.Sctp),
                Family = IpFamily.IPv6,
                Frontends = [Plans.Frontend(FrontendKind.ClusterIP, "fd00:10:96::12", 80, Destination.ClusterEndpoints, Protocol.Sctp)],
                ClusterEndpoints = [new IpEndpoint(endpoint, 8080)],
            },
        ];
    }
}
