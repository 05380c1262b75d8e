using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Kernel.Tests.Backends;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Tests.Backends;

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
        theirs.Namespace.ExecWithInput(ours.Namespace.Exec(ours.Tool("-save")), ours.Tool("-restore"));

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
        var written = node.Connection.Client.Counters.WriteMessages;
        await node.RestartAsync();
        Assert.Equal(0, (await node.FirstSyncAsync(Plans.EveryKind())).Operations);
        Assert.Equal(written, node.Connection.Client.Counters.WriteMessages);
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

    [Theory]
    [InlineData("flush ruleset")]
    [InlineData("add table ip nat { flags dormant; }")]
    public async Task What_is_done_by_nft_is_noticed_and_undone(string command)
    {
        await using var node = new IptablesNode(IptablesNode.CreateNamespace());
        var noticed = new SemaphoreSlim(0);
        await node.StartAsync(_ => noticed.Release());
        await node.FirstSyncAsync(Plans.EveryKind());
        while (await noticed.WaitAsync(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken))
        {
            // What was there before.
        }

        var before = node.Save(IptablesTable.Nat);
        node.Namespace.Exec("nft", command);
        Assert.True(await noticed.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        Assert.True((await node.SyncAsync(PlanChanges.None)).Repaired > 0);
        Assert.DoesNotContain("dormant", node.Namespace.Exec("nft", "list", "ruleset"), StringComparison.Ordinal);
        Assert.Equal(before.Order(StringComparer.Ordinal), node.Save(IptablesTable.Nat).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_rule_that_the_kernel_refuses_concerns_its_service_only()
    {
        WireTap tap = null!;
        await using var node = new IptablesNode(IptablesNode.CreateNamespace(), wire: socket => tap = new WireTap(socket));
        await node.StartAsync();
        ServicePortPlan[] others = [.. Enumerable.Range(20, 30).Select(i => Plans.ClusterIp($"s{i}", $"10.96.0.{i}", i))];
        tap.Alter = Poison;
        var result = await node.FirstSyncAsync([.. others, Plans.ClusterIp("bad", "10.96.0.11", 5)]);
        var quarantined = Assert.Single(result.Quarantined);
        Assert.Equal(Plans.Name("bad"), quarantined.Owner);
        Assert.StartsWith("iptables -t nat -A KUBE-SEP-", quarantined.Reason, StringComparison.Ordinal);
        Assert.Contains("10.244.0.6", quarantined.Reason, StringComparison.Ordinal);
        await AssertInForceAsync(node, others);

        // The others go on changing.
        others[0] = Plans.ClusterIp("s20", "10.96.0.20", 1, 2);
        Assert.Single((await node.SyncAsync(new PlanChanges { Updated = [others[0]] })).Quarantined);
        await AssertInForceAsync(node, others);
        tap.Alter = null;
        Assert.Empty((await node.SyncAsync(new PlanChanges { Verify = true })).Quarantined);
        await AssertInForceAsync(node, [.. others, Plans.ClusterIp("bad", "10.96.0.11", 5)]);

        // The target of the rule that translates to 10.244.0.6 gets a name that the kernel does not have.
        static void Poison(byte[] datagram)
        {
            ReadOnlySpan<byte> target = "DNAT"u8, address = [10, 244, 0, 6];
            for (var at = datagram.AsSpan().IndexOf(target); at >= 0;)
            {
                if (datagram.AsSpan(at, Math.Min(40, datagram.Length - at)).IndexOf(address) >= 0) datagram[at] = (byte)'X';
                var next = datagram.AsSpan(at + 1).IndexOf(target);
                at = next < 0 ? -1 : at + 1 + next;
            }
        }
    }

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public async Task Rules_of_others_stay_as_they_are(IpFamily family)
    {
        await using var node = new IptablesNode(IptablesNode.CreateNamespace(), family);
        // Extensions that this proxy has no use for, some before and some after what will be ours.
        node.Namespace.ExecWithInput(
            """
            *filter
            :mine - [0:0]
            -A INPUT -p tcp -m multiport --dports 80,443 -m comment --comment "two ports" -j mine
            -A FORWARD -m physdev --physdev-in eth0 -j ACCEPT
            -A mine -m limit --limit 5/min -j LOG --log-prefix "mine: "
            -A mine -p tcp -m tcp --dport 1000:2000 --tcp-flags FIN,SYN,RST,ACK SYN -j RETURN
            COMMIT
            *nat
            -A POSTROUTING -p udp -m udp --sport 53 -j MASQUERADE --to-ports 1024-2048
            -A OUTPUT -p tcp -m tcp --dport 8080 -m owner --uid-owner 12 -j REDIRECT --to-ports 80
            COMMIT
            *mangle
            -A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
            COMMIT

            """, node.Tool("-restore"));
        var before = Tables.Append(IptablesTable.Mangle).SelectMany(node.Save).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(7, before.Length);
        var plans = Plans.EveryKind(family);
        await node.StartAsync();
        await node.FirstSyncAsync(plans);
        await node.SyncAsync(new PlanChanges { Removed = [plans[0].Name] });
        await node.RestartAsync();
        await node.FirstSyncAsync(plans);
        Assert.Empty(before.Except(Tables.Append(IptablesTable.Mangle).SelectMany(node.Save)));
        await IptablesCleanup.RunAsync(node.Connection.Client, family, TestContext.Current.CancellationToken);
        Assert.Empty(before.Except(Tables.Append(IptablesTable.Mangle).SelectMany(node.Save)));
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

    /// <summary>The rules are those of a node that never had anything else.</summary>
    internal static async Task AssertInForceAsync(IptablesNode node, params IReadOnlyList<ServicePortPlan> plans)
    {
        await using var scratch = new IptablesNode(IptablesNode.CreateNamespace(), node.Client.Family);
        await scratch.StartAsync();
        await scratch.FirstSyncAsync(plans);
        foreach (var table in Tables) Assert.Equal(Comparable(scratch.Save(table)), Comparable(node.Save(table)));

        // The order between services is free in shared chains.
        static IEnumerable<string> Comparable(string[] rules) => rules.GroupBy(rule => rule.Split(' ')[1]).OrderBy(chain => chain.Key, StringComparer.Ordinal)
            .SelectMany(chain => IsShared(chain.Key) ? chain.Order(StringComparer.Ordinal) : (IEnumerable<string>)chain);

        static bool IsShared(string chain) => chain is "KUBE-SERVICES" or "KUBE-NODEPORTS" or "KUBE-EXTERNAL-SERVICES" or "KUBE-PROXY-FIREWALL";
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
