using System.Runtime.CompilerServices;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netfilter.Rtnetlink.Testing;

namespace KubeProxy.Netfilter.Tests.Backends;

public class NftablesBackendTests
{
    [Fact]
    public async Task Ruleset_of_every_kind_of_service_is_the_golden_one()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        Golden("every-kind.nft", harness.Nftables.Dump());
    }

    [Fact]
    public async Task Replacing_an_endpoint_is_one_element()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2, 3));
        var result = await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 4, 3));
        Assert.Equal(2, result.Operations); // the old element deleted, the new one added
        Assert.Equal(["10.244.0.2", "10.244.0.4", "10.244.0.5"], EndpointsOf(harness).Order());
    }

    [Fact]
    public async Task Adding_an_endpoint_is_one_element()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2, 3));
        var result = await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2, 3, 0));
        Assert.Equal(1, result.Operations);
    }

    [Fact]
    public async Task Crossing_a_power_of_two_moves_the_frontend_to_another_set()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2));
        var result = await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2, 3));
        Assert.Equal(3, result.Operations); // the slot, and the frontend deleted from one set and added to the other
        Assert.Empty(harness.Nftables.Elements(new NftSetKey(new NftTableKey(NftFamily.Ip, "kube-proxy"), "service-ips-2")));
    }

    [Fact]
    public async Task Removing_an_endpoint_moves_the_last_into_its_slot()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2, 3, 4));
        var result = await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 2, 3, 4));
        Assert.Equal(3, result.Operations); // slot 0 replaced, slot 3 deleted
        Assert.Equal(["10.244.0.3", "10.244.0.4", "10.244.0.5"], EndpointsOf(harness).Order());
    }

    [Fact]
    public async Task Number_of_objects_does_not_depend_on_the_number_of_services()
    {
        var few = await CountObjectsAsync(10);
        var many = await CountObjectsAsync(10_000);
        Assert.Equal(few, many);
    }

    [Fact]
    public async Task Restart_with_nothing_changed_writes_nothing()
    {
        var nftables = new InMemoryNftables();
        await using (var first = await BackendHarness.StartAsync(nftables)) await first.FirstSyncAsync(Plans.EveryKind());
        var before = nftables.Dump();
        var commits = nftables.Counts.Commits;
        await using var second = await BackendHarness.StartAsync(nftables);
        var result = await second.FirstSyncAsync([.. Plans.EveryKind().Reverse()]);
        Assert.Equal(0, result.Operations);
        Assert.Equal(commits, nftables.Counts.Commits);
        Assert.Equal(before, nftables.Dump());
    }

    [Fact]
    public async Task Restart_keeps_slots_and_writes_only_what_changed()
    {
        var nftables = new InMemoryNftables();
        await using (var first = await BackendHarness.StartAsync(nftables)) await first.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 5, 6, 7));
        await using var second = await BackendHarness.StartAsync(nftables);
        var result = await second.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 6, 7));
        Assert.Equal(2, result.Operations);
    }

    [Fact]
    public async Task Table_of_another_layout_is_replaced_in_one_transaction()
    {
        var nftables = new InMemoryNftables();
        var key = new NftTableKey(NftFamily.Ip, "kube-proxy");
        var chain = new NftChainKey(key, "services");
        await nftables.CommitAsync(new NftTransaction()
            .Add(new NftTable(key))
            .Add(new NftSet(new NftSetKey(key, "endpoints")) { KeyType = [NftDataType.Ipv4Addr] })
            .Add(new NftChain(chain) { Base = new NftBaseChain(NftChainType.Filter, NftHook.Input, 5) }), TestContext.Current.CancellationToken);
        var commits = nftables.Counts.Commits;
        await using var harness = await BackendHarness.StartAsync(nftables);
        await harness.FirstSyncAsync(Plans.EveryKind());
        Assert.Equal(commits + 1, nftables.Counts.Commits);
        Golden("every-kind.nft", nftables.Dump());
    }

    [Fact]
    public async Task Cold_start_attaches_hooks_in_the_last_transaction()
    {
        var nftables = new InMemoryNftables();
        var hooked = new List<bool>();
        nftables.Committed += (transaction, _) =>
            hooked.Add(transaction.Operations.Any(o => o is NftOperation.AddChain { Chain.Base: not null }));
        await using var harness = await BackendHarness.StartAsync(
            nftables, new NftablesBackendOptions { Family = IpFamily.IPv4, ColdStartTransactionSize = 100 });
        await harness.FirstSyncAsync([.. Enumerable.Range(0, 200).Select(i => Plans.ClusterIp($"s{i}", $"10.96.1.{i}", 1, 2, 3))]);
        Assert.True(hooked.Count > 3);
        Assert.Equal([true], hooked.Where(h => h));
        Assert.True(hooked[^1]);
    }

    // The transaction after the one that is refused is made meanwhile, and one of them cannot be made at all.
    [Fact]
    public async Task Cold_start_in_many_transactions_quarantines_what_is_refused_in_any_of_them()
    {
        var nftables = new InMemoryNftables
        {
            Refuse = (operation, element) => operation is NftOperation.AddElements && element?.Comment is "default/s30:http" or "default/s150:http" ? 22 : 0,
        };
        await using var harness = await BackendHarness.StartAsync(
            nftables, new NftablesBackendOptions { Family = IpFamily.IPv4, Masquerade = BackendHarness.Policy, ColdStartTransactionSize = 10 });
        var plans = Enumerable.Range(0, 200).Select(i => Plans.ClusterIp($"s{i}", $"10.96.1.{i}", i)).ToArray();
        plans[90] = plans[90] with { Name = new ServicePortName(plans[90].Name.Service, "not \" a comment", Protocol.Tcp) };
        var result = await harness.FirstSyncAsync(plans);
        Assert.Equal([plans[30].Name, plans[90].Name, plans[150].Name], result.Quarantined.Select(q => q.Owner).OrderBy(name => Array.FindIndex(plans, p => p.Name == name)));
        Assert.Equal(197, EndpointsOf(harness).Count());
        Assert.Equal(197, nftables.Elements(new NftSetKey(new NftTableKey(NftFamily.Ip, "kube-proxy"), "cluster-ips")).Count);

        nftables.Refuse = null;
        var unnamable = plans[90].Name;
        plans[90] = Plans.ClusterIp("s90", "10.96.1.90", 90);
        var changes = new PlanChanges { Removed = [unnamable], Updated = [plans[30], plans[90], plans[150]] };
        Assert.Empty((await harness.Backend.SyncAsync(changes, TestContext.Current.CancellationToken)).Quarantined);
        await using var scratch = await BackendHarness.StartAsync();
        await scratch.FirstSyncAsync(plans);
        Assert.Equal(scratch.Nftables.Dump(), nftables.Dump());
    }

    // The kernel shows elements twice while a hash table grows, and that is when a start that was interrupted looks again.
    [Fact]
    public async Task Elements_that_a_dump_has_twice_are_one()
    {
        var nftables = new InMemoryNftables();
        await using (var first = await BackendHarness.StartAsync(nftables)) await first.FirstSyncAsync(Plans.EveryKind());
        var before = nftables.Dump();
        await using var second = await BackendHarness.StartAsync(nftables, seen: inner => new RepeatingNftables(inner));
        Assert.Equal(0, (await second.FirstSyncAsync(Plans.EveryKind())).Operations);
        Assert.Equal(before, nftables.Dump());
        await second.SyncAsync(Plans.ClusterIp("cluster", "10.96.0.10", 1, 2));
        await second.Backend.SyncAsync(new PlanChanges { Verify = true }, TestContext.Current.CancellationToken);
        await using var scratch = await BackendHarness.StartAsync();
        await scratch.FirstSyncAsync([Plans.ClusterIp("cluster", "10.96.0.10", 1, 2), .. Plans.EveryKind()[1..]]);
        Assert.Equal(scratch.Nftables.Dump(), nftables.Dump());
    }

    [Fact]
    public async Task Cold_start_goes_on_after_acknowledgements_that_were_lost()
    {
        var nftables = new InMemoryNftables();
        await using var harness = await BackendHarness.StartAsync(
            nftables, new NftablesBackendOptions { Family = IpFamily.IPv4, Masquerade = BackendHarness.Policy, ColdStartTransactionSize = 10 });
        var lost = 0;
        nftables.LoseAck = _ => ++lost % 7 == 0 ? (lost % 2 == 0 ? LostAck.Applied : LostAck.NotApplied) : LostAck.None;
        var plans = Enumerable.Range(0, 100).Select(i => Plans.ClusterIp($"s{i}", $"10.96.1.{i}", i)).ToArray();
        var result = await harness.FirstSyncAsync(plans);
        Assert.Empty(result.Quarantined);
        Assert.Equal(100, EndpointsOf(harness).Count());
    }

    [Fact]
    public async Task Refused_service_is_quarantined_and_the_others_are_in_force()
    {
        var nftables = new InMemoryNftables
        {
            Refuse = (operation, element) => operation is NftOperation.AddElements && element?.Comment == "default/poison:http" ? 22 : 0,
        };
        await using var harness = await BackendHarness.StartAsync(nftables);
        var result = await harness.FirstSyncAsync(
            Plans.ClusterIp("a", "10.96.0.10", 1), Plans.ClusterIp("poison", "10.96.0.11", 2), Plans.ClusterIp("b", "10.96.0.12", 3));
        var quarantined = Assert.Single(result.Quarantined);
        Assert.Equal(Plans.Name("poison"), quarantined.Owner);
        Assert.Contains("10.96.0.11", quarantined.Reason, StringComparison.Ordinal);
        Assert.Equal(["10.244.0.2", "10.244.0.4"], EndpointsOf(harness).Order());

        nftables.Refuse = null;
        result = await harness.SyncAsync(Plans.ClusterIp("poison", "10.96.0.11", 4));
        Assert.Empty(result.Quarantined);
        Assert.Equal(["10.244.0.2", "10.244.0.4", "10.244.0.5"], EndpointsOf(harness).Order());
    }

    [Fact]
    public async Task Refused_change_leaves_what_was_accepted_before_in_force()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2));
        harness.Nftables.Refuse = (operation, element) =>
            operation is NftOperation.AddElements && element is { Data.IsEmpty: false } e && e.ToString()!.Contains("0af40004", StringComparison.Ordinal) ? 12 : 0;
        var result = await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 3), Plans.ClusterIp("b", "10.96.0.11", 7));
        Assert.Equal(Plans.Name("a"), Assert.Single(result.Quarantined).Owner);
        Assert.Equal(["10.244.0.2", "10.244.0.3", "10.244.0.8"], EndpointsOf(harness).Order());
    }

    [Theory]
    [InlineData(LostAck.Applied)]
    [InlineData(LostAck.NotApplied)]
    public async Task Lost_acknowledgement_is_read_back(LostAck lost)
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1));
        var once = lost;
        harness.Nftables.LoseAck = _ => Interlocked.Exchange(ref Unsafe.As<LostAck, int>(ref once), (int)LostAck.None) is var l ? (LostAck)l : default;
        await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 2));
        Assert.Equal(["10.244.0.3"], EndpointsOf(harness));
    }

    [Fact]
    public async Task Foreign_commit_before_ours_is_looked_at_and_repaired()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        var golden = harness.Nftables.Dump();
        await harness.Nftables.CommitAsync(
            new NftTransaction().Delete(new NftTableKey(NftFamily.Ip, "kube-proxy")), TestContext.Current.CancellationToken);
        await harness.SyncAsync(Plans.ClusterIp("cluster", "10.96.0.10", 1, 2, 4));
        await harness.SyncAsync(Plans.ClusterIp("cluster", "10.96.0.10", 1, 2, 3));
        Assert.Equal(golden, harness.Nftables.Dump());
    }

    [Fact]
    public async Task A_table_that_was_put_to_sleep_is_woken_up_as_it_is()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        var golden = harness.Nftables.Dump();
        var table = new NftTable(new NftTableKey(NftFamily.Ip, "kube-proxy"));
        await harness.Nftables.CommitAsync(new NftTransaction().Add(table with { Flags = NftTableFlags.Dormant }), TestContext.Current.CancellationToken);
        var result = await harness.Backend.SyncAsync(new PlanChanges { Verify = true }, CancellationToken.None);
        Assert.Equal((1, 0), (result.Repaired, result.Operations));
        Assert.Equal(NftTableFlags.None, Assert.Single(await harness.Nftables.ListTablesAsync(cancellationToken: TestContext.Current.CancellationToken)).Flags);
        Assert.Equal(golden, harness.Nftables.Dump());
    }

    [Fact]
    public async Task Verification_repairs_and_counts_what_others_changed()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        var golden = harness.Nftables.Dump();
        var table = new NftTableKey(NftFamily.Ip, "kube-proxy");
        await harness.Nftables.CommitAsync(
            new NftTransaction().Flush(new NftChainKey(table, "services")).Flush(new NftSetKey(table, "cluster-ips"))
                .Add(new NftChain(new NftChainKey(table, "foreign"))), TestContext.Current.CancellationToken);
        var result = await harness.Backend.SyncAsync(new PlanChanges { Verify = true }, CancellationToken.None);
        Assert.Equal(8, result.Repaired); // one chain, six cluster IPs, one foreign chain
        Assert.Equal(golden, harness.Nftables.Dump());
    }

    [Fact]
    public async Task Node_port_addresses_follow_the_node()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var routes = new InMemoryRoute();
        await routes.AddLinkAsync("eth0", "dummy", cancel);
        await routes.AddAddressAsync(Address("203.0.113.11"), cancel);
        await routes.AddAddressAsync(Address("127.0.0.1"), cancel);
        await routes.AddAddressAsync(Address("10.0.0.1"), cancel);
        var requested = new TaskCompletionSource();
        await using var harness = await BackendHarness.StartAsync(routes: routes, requestSync: _ => requested.TrySetResult());
        var node = Plans.Node() with { NodePortAddresses = [Cidr.Parse("203.0.113.0/24"), Cidr.Parse("127.0.0.0/8")] };
        await harness.Backend.SyncAsync(new PlanChanges { Node = node }, cancel);
        Assert.Equal(["cb00710b"], NodePortIps(harness));
        await routes.AddAddressAsync(Address("203.0.113.12"), cancel);
        await requested.Task.WaitAsync(cancel);
        await harness.Backend.SyncAsync(PlanChanges.None, cancel);
        Assert.Equal(["cb00710b", "cb00710c"], NodePortIps(harness).Order());
        static InterfaceAddress Address(string address) => new(1, IpAddr.Parse(address), 24);
    }

    [Fact]
    public async Task Objects_of_affinity_go_with_the_service()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync();
        var empty = harness.Nftables.Dump();
        var sticky = Plans.EveryKind().Single(plan => plan.AffinityTimeout is not null);
        await harness.SyncAsync(sticky);
        Assert.NotEqual(empty, harness.Nftables.Dump());
        await harness.Backend.SyncAsync(new PlanChanges { Removed = [sticky.Name] }, CancellationToken.None);
        // What belongs to the timeout stays until the periodic check.
        await harness.Backend.SyncAsync(new PlanChanges { Verify = true }, CancellationToken.None);
        Assert.Equal(empty, harness.Nftables.Dump());
    }

    private static async Task<(int Chains, int Sets, int Rules)> CountObjectsAsync(int services)
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync([.. Enumerable.Range(0, services).Select(i => Plans.ClusterIp($"s{i}", $"10.96.{i / 250}.{i % 250}", 1, 2, 3))]);
        var content = (await harness.Nftables.ReadTableAsync(new NftTableKey(NftFamily.Ip, "kube-proxy")))!;
        return (content.Chains.Count, content.Sets.Count, content.Rules.Values.Sum(rules => rules.Count));
    }

    private static IEnumerable<string> NodePortIps(BackendHarness harness) => harness.Nftables
        .Elements(new NftSetKey(new NftTableKey(NftFamily.Ip, "kube-proxy"), "nodeport-ips")).Select(e => e.Key.ToString());

    private static IEnumerable<string> EndpointsOf(BackendHarness harness) => harness.Nftables
        .Elements(new NftSetKey(new NftTableKey(NftFamily.Ip, "kube-proxy"), "endpoints"))
        .Select(e =>
        {
            var data = e.Data;
            return IpAddr.FromBytes(data.Span[..4]).ToString();
        });

    // UPDATE_GOLDEN=DIRECTORY writes them anew, for example to Backends/Golden of this project.
    private static void Golden(string name, string actual)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") is { Length: > 0 } directory) File.WriteAllText(Path.Combine(directory, name), actual);
        else Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Backends", "Golden", name)), actual);
    }
}
