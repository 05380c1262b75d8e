using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using KubeProxy.Netfilter.Tests.Backends;

namespace KubeProxy.Netfilter.Tests.Iptables;

public class IptablesBackendTests
{
    private static readonly NftChainKey Services = new(new NftTableKey(NftFamily.Ip, "nat"), ChainNames.Services);
    private static readonly NftChainKey Input = new(new NftTableKey(NftFamily.Ip, "filter"), "INPUT");
    private static readonly NftRule Foreign = IptablesRuleEncoder.Encode(
        IptablesLayout.Rule(IptablesTarget.Accept, new CommentMatch("not ours")), IpFamily.IPv4);

    [Fact]
    public async Task A_restart_writes_nothing()
    {
        await using var first = await IptablesHarness.StartAsync();
        await first.FirstSyncAsync(Plans.EveryKind());
        first.Nftables.Counts.Reset();
        await using var second = await IptablesHarness.StartAsync(first.Nftables);
        var result = await second.FirstSyncAsync(Plans.EveryKind());
        Assert.Equal((0, 0, 0), (result.Operations, result.Repaired, first.Nftables.Counts.Commits));
    }

    [Fact]
    public async Task Replacing_an_endpoint_writes_its_chains_and_one_rule()
    {
        await using var harness = await IptablesHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2, 3));
        var result = await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2, 4));
        // Chain and two rules of the new one; the rule that leads to it for the one that led to the old one, which is emptied and deleted.
        Assert.Equal(3 + 2 + 2, result.Operations);
        var nat = await harness.NatAsync();
        Assert.Equal(3, nat.Keys.Count(name => name.StartsWith("KUBE-SEP-", StringComparison.Ordinal)));
        await AssertAsFromScratchAsync(harness, Plans.ClusterIp("a", "10.96.0.10", 1, 2, 4));
    }

    [Fact]
    public async Task Adding_and_removing_a_service_touches_no_other()
    {
        await using var harness = await IptablesHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2));
        var added = await harness.SyncAsync(Plans.ClusterIp("b", "10.96.0.11", 3));
        Assert.Equal(2 + 2 + 2 + 1, added.Operations); // two chains, their rules, one rule in KUBE-SERVICES
        var removed = await harness.RemoveAsync(Plans.Name("b"));
        Assert.Equal(2 + 2 + 1, removed.Operations); // two chains emptied, then deleted, one rule
        await AssertAsFromScratchAsync(harness, Plans.ClusterIp("a", "10.96.0.10", 1, 2));
    }

    [Fact]
    public async Task Rules_of_others_stay_and_jumps_are_put_back_before_them()
    {
        var nftables = new InMemoryNftables();
        await nftables.CommitAsync(new NftTransaction()
            .Add(new NftTable(Input.Table)).Add(new IptablesChain(IptablesTable.Filter, "INPUT").Definition(IpFamily.IPv4)).Add(Input, Foreign), TestContext.Current.CancellationToken);
        await using var harness = await IptablesHarness.StartAsync(nftables);
        await harness.FirstSyncAsync(Plans.EveryKind());
        var input = (await harness.FilterAsync())["INPUT"];
        Assert.Equal((5, "-A INPUT -m comment --comment \"not ours\" -j ACCEPT"), (input.Count, input[^1]));

        await nftables.CommitAsync(new NftTransaction().Flush(Input).Add(Input, Foreign), TestContext.Current.CancellationToken);
        var result = await harness.VerifyAsync();
        Assert.Equal((4, 4), (result.Repaired, result.Operations));
        Assert.Equal(input, (await harness.FilterAsync())["INPUT"]);
    }

    [Fact]
    public async Task The_last_rule_is_put_last_again_and_strange_rules_go()
    {
        await using var harness = await IptablesHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1));
        var before = (await harness.NatAsync())[ChainNames.Services];
        var content = (await harness.Nftables.ReadTableAsync(Services.Table, TestContext.Current.CancellationToken))!.Rules[ChainNames.Services];
        await harness.Nftables.CommitAsync(
            new NftTransaction().Add(Services, Foreign).Add(Services, content[0].Rule).Delete(Services, content[0].Handle), TestContext.Current.CancellationToken);
        Assert.True((await harness.VerifyAsync()).Repaired > 0);
        Assert.Equal(before, (await harness.NatAsync())[ChainNames.Services]);
        Assert.Contains("must be the last rule", before[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_copy_of_a_rule_goes()
    {
        await using var harness = await IptablesHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1));
        var before = (await harness.NatAsync())[ChainNames.Services];
        var content = (await harness.Nftables.ReadTableAsync(Services.Table, TestContext.Current.CancellationToken))!.Rules[ChainNames.Services];
        await harness.Nftables.CommitAsync(new NftTransaction().Insert(Services, content[0].Rule), TestContext.Current.CancellationToken);
        Assert.Equal(1, (await harness.VerifyAsync()).Operations);
        Assert.Equal(before, (await harness.NatAsync())[ChainNames.Services]);
    }

    [Fact]
    public async Task What_another_kube_proxy_left_goes()
    {
        var nftables = new InMemoryNftables();
        await using (var before = await IptablesHarness.StartAsync(nftables)) await before.FirstSyncAsync(Plans.EveryKind());
        await using var harness = await IptablesHarness.StartAsync(nftables);
        await harness.FirstSyncAsync(Plans.ClusterIp("cluster", "10.96.0.10", 1, 2, 3));
        await AssertAsFromScratchAsync(harness, Plans.ClusterIp("cluster", "10.96.0.10", 1, 2, 3));
    }

    [Fact]
    public async Task A_service_that_the_kernel_refuses_does_not_hold_up_others()
    {
        var nftables = new InMemoryNftables { Refuse = (operation, _) => operation is NftOperation.AddRule { Rule: var rule } && HasDnatTo(rule, "10.244.0.6") ? 95 : 0 };
        await using var harness = await IptablesHarness.StartAsync(nftables);
        var result = await harness.FirstSyncAsync(Plans.ClusterIp("good", "10.96.0.10", 1), Plans.ClusterIp("bad", "10.96.0.11", 5));
        var quarantined = Assert.Single(result.Quarantined);
        Assert.Equal(Plans.Name("bad"), quarantined.Owner);
        Assert.StartsWith("iptables -t nat -A KUBE-SEP-", quarantined.Reason, StringComparison.Ordinal);
        await AssertAsFromScratchAsync(harness, Plans.ClusterIp("good", "10.96.0.10", 1));

        nftables.Refuse = null;
        Assert.Empty((await harness.VerifyAsync()).Quarantined);
        Assert.Equal(2, (await harness.NatAsync()).Keys.Count(name => name.StartsWith("KUBE-SVC-", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cleanup_removes_all_but_what_kubelet_has_too(bool hasKubelet)
    {
        await using var harness = await IptablesHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        await harness.Nftables.CommitAsync(new NftTransaction().Add(Input, Foreign), TestContext.Current.CancellationToken);
        var mangle = new NftTableKey(NftFamily.Ip, "mangle");
        var canary = new NftTransaction().Add(new NftTable(mangle)).Add(new NftChain(new NftChainKey(mangle, "KUBE-KUBELET-CANARY")));
        if (hasKubelet) await harness.Nftables.CommitAsync(canary, TestContext.Current.CancellationToken);
        Assert.NotEmpty(await IptablesCleanup.RunAsync(harness.Nftables, IpFamily.IPv4, TestContext.Current.CancellationToken));
        Assert.DoesNotContain((await harness.NatAsync()).Keys, name => name.StartsWith("KUBE-", StringComparison.Ordinal));
        var filter = await harness.FilterAsync();
        Assert.Equal(hasKubelet ? ["FORWARD", "INPUT", "KUBE-FIREWALL", "OUTPUT"] : ["FORWARD", "INPUT", "OUTPUT"], filter.Keys);
        const string own = "-A INPUT -m comment --comment \"not ours\" -j ACCEPT";
        Assert.Equal(hasKubelet ? ["-A INPUT -j KUBE-FIREWALL", own] : [own], filter["INPUT"]);
        // Of a table in which nothing is left nothing is left.
        Assert.DoesNotContain(await harness.Nftables.ListTablesAsync(NftFamily.Ip, TestContext.Current.CancellationToken), table => table.Key.Name == "nat");
        Assert.Empty(await IptablesCleanup.RunAsync(harness.Nftables, IpFamily.IPv4, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Node_port_addresses_have_a_rule_each()
    {
        var routes = new InMemoryRoute();
        await routes.AddLinkAsync("eth0", "dummy", TestContext.Current.CancellationToken);
        await routes.AddAddressAsync(new InterfaceAddress(1, IpAddr.Parse("203.0.113.11"), 24), TestContext.Current.CancellationToken);
        await using var harness = await IptablesHarness.StartAsync(routes: routes);
        var node = Plans.Node() with { NodePortAddresses = [Cidr.Parse("203.0.113.0/24")] };
        await harness.Backend.SyncAsync(new PlanChanges { Node = node }, CancellationToken.None);
        var services = (await harness.NatAsync())[ChainNames.Services];
        Assert.Equal(
            ["-A KUBE-SERVICES -d 203.0.113.11/32 -m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this chain\" -j KUBE-NODEPORTS"],
            services);
        Assert.Empty((await harness.FilterAsync())[ChainNames.Firewall]);
        Assert.Equal("0", harness.LocalnetRouting);
    }

    [Fact]
    public async Task Localhost_node_ports_switch_route_localnet_on()
    {
        await using var harness = await IptablesHarness.StartAsync();
        await harness.FirstSyncAsync();
        Assert.Equal("1", harness.LocalnetRouting);
    }

    [Fact]
    public async Task What_route_localnet_was_is_noted_again_when_somebody_put_it_back()
    {
        await using var harness = await IptablesHarness.StartAsync();
        await harness.FirstSyncAsync();
        Assert.Empty(await harness.Nftables.ListChainsAsync(SysctlRecord.Table, TestContext.Current.CancellationToken)); // Whoever starts the mode notes it.
        harness.HasLocalnetRouting = true; // As --cleanup does, which forgets what it was.
        await harness.VerifyAsync();
        Assert.Equal("1", harness.LocalnetRouting);
        Assert.Equal("was 0, set to 1", Assert.Single(await harness.Nftables.ListChainsAsync(SysctlRecord.Table, TestContext.Current.CancellationToken)).Comment);
        Assert.Equal(0, (await harness.VerifyAsync()).Operations);
    }

    [Fact]
    public async Task Without_localhost_node_ports_loopback_is_left_out()
    {
        await using var harness = await IptablesHarness.StartAsync(localhost: false);
        await harness.FirstSyncAsync();
        Assert.StartsWith("-A KUBE-SERVICES ! -d 127.0.0.0/8 ", Assert.Single((await harness.NatAsync())[ChainNames.Services]), StringComparison.Ordinal);
        Assert.Equal("0", harness.LocalnetRouting);
    }

    [Fact]
    public async Task Large_clusters_go_without_comments_for_endpoints_and_those_that_are_there_stay()
    {
        ServicePortPlan[] plans = [.. Enumerable.Range(0, 101).Select(i => Plans.ClusterIp($"s{i}", $"10.96.1.{i}", [.. Enumerable.Range(i * 10, 10)]))];
        await using var small = await IptablesHarness.StartAsync();
        await small.FirstSyncAsync(plans[..50]);
        await using var large = await IptablesHarness.StartAsync(small.Nftables);
        await large.FirstSyncAsync(plans);
        var nat = await large.NatAsync();
        var commented = nat.Where(chain => chain.Key.StartsWith("KUBE-SEP-", StringComparison.Ordinal)).Count(chain => chain.Value.Any(rule => rule.Contains("--comment", StringComparison.Ordinal)));
        Assert.Equal(500, commented);
        await using var again = await IptablesHarness.StartAsync(small.Nftables);
        Assert.Equal(0, (await again.FirstSyncAsync(plans)).Operations);
    }

    [Fact]
    public async Task Tables_too_large_for_one_dump_are_taken_over_too()
    {
        ServicePortPlan[] plans = [.. Enumerable.Range(0, 400).Select(i => Plans.ClusterIp($"s{i}", $"10.96.{i / 250}.{i % 250}", [.. Enumerable.Range(i * 10, 10)]))];
        await using var first = await IptablesHarness.StartAsync();
        await first.FirstSyncAsync(plans);
        await using var second = await IptablesHarness.StartAsync(first.Nftables);
        Assert.Equal(0, (await second.FirstSyncAsync(plans)).Operations);
    }

    [Fact]
    public async Task Changes_are_kept_when_a_sysctl_cannot_be_written()
    {
        await using var harness = await IptablesHarness.StartAsync();
        harness.HasLocalnetRouting = false;
        await Assert.ThrowsAsync<ProxyBackendException>(() => harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1)));
        harness.HasLocalnetRouting = true;
        await harness.Backend.SyncAsync(PlanChanges.None, CancellationToken.None);
        await AssertAsFromScratchAsync(harness, Plans.ClusterIp("a", "10.96.0.10", 1));
    }

    // --cleanup beside the process deletes them, and then the kernel refuses rules that name them.
    [Fact]
    public async Task Counters_are_made_again_after_a_sync_that_failed()
    {
        await using var harness = await IptablesHarness.StartAsync(accounting: true);
        var before = harness.EnsuredCounters;
        harness.HasLocalnetRouting = false;
        await Assert.ThrowsAsync<ProxyBackendException>(() => harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1)));
        Assert.Equal(before, harness.EnsuredCounters);
        harness.HasLocalnetRouting = true;
        await harness.Backend.SyncAsync(PlanChanges.None, CancellationToken.None);
        Assert.Equal(before + 2, harness.EnsuredCounters);
        await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 2));
        Assert.Equal(before + 2, harness.EnsuredCounters);
    }

    [Fact]
    public async Task A_lost_acknowledgement_is_looked_into()
    {
        await using var harness = await IptablesHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1));
        var left = 1;
        harness.Nftables.LoseAck = _ => left-- > 0 ? LostAck.Applied : LostAck.None;
        await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 2));
        await AssertAsFromScratchAsync(harness, Plans.ClusterIp("a", "10.96.0.10", 2));
    }

    private static bool HasDnatTo(NftRule rule, string address) =>
        new IptablesRuleDecoder(IpFamily.IPv4).Decode(rule).Target is DnatTarget dnat && dnat.To.Address == IpAddr.Parse(address);

    internal static async Task AssertAsFromScratchAsync(IptablesHarness harness, params IReadOnlyList<ServicePortPlan> plans)
    {
        await using var scratch = await IptablesHarness.StartAsync();
        await scratch.FirstSyncAsync(plans);
        Assert.Equal(Comparable(await scratch.NatAsync()), Comparable(await harness.NatAsync()));
        Assert.Equal(Comparable(await scratch.FilterAsync()), Comparable(await harness.FilterAsync()));
    }

    // The order between services is free in shared chains.
    private static ImmutableArray<string> Comparable(SortedDictionary<string, List<string>> table) =>
        [.. table.SelectMany(chain => (IsShared(chain.Key) ? chain.Value.Order(StringComparer.Ordinal) : (IEnumerable<string>)chain.Value).Prepend(":" + chain.Key))];

    private static bool IsShared(string chain) => IptablesLayout.SharedChains.Any(shared => shared.Name == chain);
}
