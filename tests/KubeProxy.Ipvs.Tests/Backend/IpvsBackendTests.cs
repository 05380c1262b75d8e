using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Tests.Backends;
using KubeProxy.Netlink;
using static KubeProxy.Ipvs.Tests.Backend.IpvsHarness;

namespace KubeProxy.Ipvs.Tests.Backend;

public class IpvsBackendTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_kind_of_service()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        Assert.Equal(
        [
            "tcp 10.96.0.10:80 -> 10.244.0.2:8080 Masquerade 1",
            "tcp 10.96.0.10:80 -> 10.244.0.3:8080 Masquerade 1",
            "tcp 10.96.0.10:80 -> 10.244.0.4:8080 Masquerade 1",
            "tcp 10.96.0.10:80 rr",
            "tcp 10.96.0.12:80 -> 10.244.0.2:8080 Masquerade 1",
            "tcp 10.96.0.12:80 -> 10.244.1.51:8080 Masquerade 1",
            "tcp 10.96.0.12:80 rr",
            "tcp 10.96.0.13:80 -> 10.244.0.2:8080 Masquerade 1",
            "tcp 10.96.0.13:80 -> 10.244.1.51:8080 Masquerade 1",
            "tcp 10.96.0.13:80 rr",
            "tcp 10.96.0.15:80 -> 10.244.0.2:8080 Masquerade 1",
            "tcp 10.96.0.15:80 -> 10.244.0.3:8080 Masquerade 1",
            "tcp 10.96.0.15:80 rr persistent 10800",
            "tcp 192.0.2.1:30080 -> 10.244.0.2:8080 Masquerade 1",
            "tcp 192.0.2.1:30080 -> 10.244.1.51:8080 Masquerade 1",
            "tcp 192.0.2.1:30080 rr",
            "tcp 192.0.2.1:30081 -> 10.244.0.2:8080 Masquerade 1",
            "tcp 192.0.2.1:30081 rr",
            "tcp 192.0.2.1:30083 -> 10.244.0.2:8080 Masquerade 1",
            "tcp 192.0.2.1:30083 -> 10.244.0.3:8080 Masquerade 1",
            "tcp 192.0.2.1:30083 rr persistent 10800",
            "tcp 198.18.10.1:80 -> 10.244.0.2:8080 Masquerade 1",
            "tcp 198.18.10.1:80 -> 10.244.1.51:8080 Masquerade 1",
            "tcp 198.18.10.1:80 rr",
            "tcp 198.18.20.1:80 -> 10.244.0.2:8080 Masquerade 1",
            "tcp 198.18.20.1:80 rr",
        ], await harness.ListAsync());
        Assert.Equal(
            ["10.96.0.10/32", "10.96.0.11/32", "10.96.0.12/32", "10.96.0.13/32", "10.96.0.14/32", "10.96.0.15/32", "198.18.10.1/32", "198.18.20.1/32"],
            await harness.BoundAsync());
    }

    [Fact]
    public async Task Rules_around_it_are_the_golden_ones()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        Golden.Check("every-kind.nft", harness.Memory.Nftables.Dump(new NftTableKey(NftFamily.Ip, "kube-proxy")));
    }

    [Fact]
    public async Task Packets_are_accepted_before_the_hosts_own_rules_and_again_when_these_are_loaded_anew()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        var client = new IptablesClient(harness.Memory.Nftables, IpFamily.IPv4);
        var expected = """
            *filter
            :FORWARD ACCEPT
            :KUBE-FORWARD -
            -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
            -A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
            -A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            COMMIT

            """.ReplaceLineEndings("\n");
        Assert.Equal(expected, await client.SaveAsync(IptablesTable.Filter, TestContext.Current.CancellationToken));

        await harness.Memory.Nftables.CommitAsync(
            new NftTransaction().Flush(new NftChainKey(new NftTableKey(NftFamily.Ip, "filter"), "FORWARD")), TestContext.Current.CancellationToken);
        await harness.Backend.SyncAsync(new PlanChanges { Verify = true }, TestContext.Current.CancellationToken);
        Assert.Equal(expected, await client.SaveAsync(IptablesTable.Filter, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_restart_writes_nothing()
    {
        var kernel = await FilledAsync(Plans.EveryKind());
        await using var harness = await StartAsync(kernel);
        var (writes, commits) = (kernel.Ipvs.Writes, kernel.Nftables.Counts);
        var result = await harness.FirstSyncAsync(Plans.EveryKind());
        Assert.Equal((0, writes), (result.Operations, kernel.Ipvs.Writes));
        Assert.Equal(commits, kernel.Nftables.Counts);
    }

    [Fact]
    public async Task A_replaced_endpoint_is_two_operations()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2));
        var before = harness.Ipvs.Writes;
        await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 3));
        Assert.Equal(3, harness.Ipvs.Writes - before); // added; the other to weight 0, and deleted because it has no connection
        Assert.Equal(["tcp 10.96.0.10:80 -> 10.244.0.2:8080 Masquerade 1", "tcp 10.96.0.10:80 -> 10.244.0.4:8080 Masquerade 1", "tcp 10.96.0.10:80 rr"],
            await harness.ListAsync());
    }

    [Fact]
    public async Task A_destination_with_connections_drains()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2));
        harness.Ipvs.SetConnections(Tcp("10.96.0.10"), Plans.Endpoints(2)[0], active: 1);
        await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1));
        Assert.Contains("tcp 10.96.0.10:80 -> 10.244.0.3:8080 Masquerade 0", await harness.ListAsync());

        // Nothing else may touch it meanwhile.
        var result = await harness.SyncAsync(Plans.ClusterIp("b", "10.96.0.20", 1));
        Assert.Contains("tcp 10.96.0.10:80 -> 10.244.0.3:8080 Masquerade 0", await harness.ListAsync());
        harness.Ipvs.SetConnections(Tcp("10.96.0.10"), Plans.Endpoints(2)[0], active: 0, inactive: 1);
        await PassAsync(harness, TimeSpan.FromSeconds(10), _ => Task.FromResult(true));
        Assert.Contains("tcp 10.96.0.10:80 -> 10.244.0.3:8080 Masquerade 0", await harness.ListAsync());
        harness.Ipvs.SetConnections(Tcp("10.96.0.10"), Plans.Endpoints(2)[0], active: 0);
        await PassAsync(harness, TimeSpan.FromSeconds(60), async lines => (await lines()).Count == 4);
        Assert.DoesNotContain("10.244.0.3", string.Join('\n', await harness.ListAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drained_endpoint_that_is_wanted_again_gets_its_weight_back()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2));
        harness.Ipvs.SetConnections(Tcp("10.96.0.10"), Plans.Endpoints(2)[0], active: 1);
        await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1));
        var result = await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2));
        Assert.Equal(1, result.Operations);
        Assert.Contains("tcp 10.96.0.10:80 -> 10.244.0.3:8080 Masquerade 1", await harness.ListAsync());
    }

    [Fact]
    public async Task Weights_are_reconciled_after_a_restart()
    {
        var kernel = await FilledAsync([Plans.ClusterIp("a", "10.96.0.10", 1, 2)]);
        await kernel.Ipvs.ApplyAsync(new IpvsOperation.SetDestination(Tcp("10.96.0.10"), new Destination { Endpoint = Plans.Endpoints(2)[0], Weight = 0 }), Ct);
        await using var harness = await StartAsync(kernel);
        var result = await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2));
        Assert.Equal(1, result.Operations);
        Assert.Contains("tcp 10.96.0.10:80 -> 10.244.0.3:8080 Masquerade 1", await harness.ListAsync());
    }

    [Fact]
    public async Task Draining_goes_on_after_a_restart_without_a_write()
    {
        var kernel = await FilledAsync([Plans.ClusterIp("a", "10.96.0.10", 1, 2)]);
        var gone = Plans.Endpoints(2)[0];
        await kernel.Ipvs.ApplyAsync(new IpvsOperation.SetDestination(Tcp("10.96.0.10"), new Destination { Endpoint = gone, Weight = 0 }), Ct);
        kernel.Ipvs.SetConnections(Tcp("10.96.0.10"), gone, active: 1);
        await using var harness = await StartAsync(kernel);
        Assert.Equal(0, (await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1))).Operations);
        kernel.Ipvs.SetConnections(Tcp("10.96.0.10"), gone, active: 0);
        await PassAsync(harness, TimeSpan.FromSeconds(60), async lines => (await lines()).Count == 2);
        Assert.Equal(["tcp 10.96.0.10:80 -> 10.244.0.2:8080 Masquerade 1", "tcp 10.96.0.10:80 rr"], await harness.ListAsync());
    }

    [Fact]
    public async Task A_virtual_service_stays_until_its_last_connection_ends()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1));
        harness.Ipvs.SetConnections(Tcp("10.96.0.10"), Plans.Endpoints(1)[0], active: 1);
        await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10"));
        Assert.Equal(["tcp 10.96.0.10:80 -> 10.244.0.2:8080 Masquerade 0", "tcp 10.96.0.10:80 rr"], await harness.ListAsync());
        harness.Ipvs.SetConnections(Tcp("10.96.0.10"), Plans.Endpoints(1)[0], active: 0);
        await PassAsync(harness, TimeSpan.FromSeconds(60), async lines => (await lines()).Count == 0);
        Assert.Empty(await harness.ListAsync());
        Assert.Equal(["10.96.0.10/32"], await harness.BoundAsync()); // so that connections are refused, and not routed on
        await harness.RemoveAsync("a");
        Assert.Empty(await harness.BoundAsync());
    }

    [Fact]
    public async Task Udp_destinations_go_at_once()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Udp(1, 2));
        var key = new VirtualServiceKey(IpAddr.Parse("10.96.0.53"), Protocol.Udp, 53);
        harness.Ipvs.SetConnections(key, Plans.Endpoints(2)[0], active: 0, inactive: 5);
        await harness.SyncAsync(Udp(1));
        Assert.Equal(["udp 10.96.0.53:53 -> 10.244.0.2:8080 Masquerade 1", "udp 10.96.0.53:53 rr"], await harness.ListAsync());
        await harness.SyncAsync(Udp());
        Assert.Empty(await harness.ListAsync());

        static ServicePortPlan Udp(params int[] pods) => new()
        {
            Name = Plans.Name("dns", Protocol.Udp),
            Family = IpFamily.IPv4,
            Frontends = [Plans.Frontend(FrontendKind.ClusterIP, "10.96.0.53", 53, pods.Length == 0 ? Core.Planning.Destination.Reject : Core.Planning.Destination.ClusterEndpoints, Protocol.Udp)],
            ClusterEndpoints = Plans.Endpoints(pods),
            ServingEndpoints = Plans.Endpoints(pods),
        };
    }

    [Fact]
    public async Task A_service_that_goes_takes_everything_along()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        foreach (var plan in Plans.EveryKind()) await harness.RemoveAsync(plan.Name.Service.Name);
        Assert.Empty(await harness.ListAsync());
        Assert.Empty(await harness.BoundAsync());
    }

    [Fact]
    public async Task Node_ports_follow_the_addresses_of_the_node()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        var second = IpAddr.Parse("192.0.2.9");
        await harness.Memory.Routes.AddAddressAsync(new Netfilter.Rtnetlink.InterfaceAddress(2, second, 24), Ct);
        await PassAsync(harness, TimeSpan.FromSeconds(10), async lines =>
        {
            await harness.SyncAsync();
            return (await lines()).Any(line => line.Contains("192.0.2.9:30080", StringComparison.Ordinal));
        });
        Assert.Contains("tcp 192.0.2.9:30083 rr persistent 10800", await harness.ListAsync());
        await harness.Memory.Routes.DeleteAddressAsync(new Netfilter.Rtnetlink.InterfaceAddress(2, second, 24), Ct);
        await PassAsync(harness, TimeSpan.FromSeconds(10), async lines =>
        {
            await harness.SyncAsync();
            return !(await lines()).Any(line => line.Contains("192.0.2.9", StringComparison.Ordinal));
        });
        Assert.Contains("tcp 192.0.2.1:30083 rr persistent 10800", await harness.ListAsync());
    }

    [Fact]
    public async Task An_address_that_another_interface_has_is_not_bound()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1) with
        {
            Frontends = [Plans.Frontend(FrontendKind.ExternalIP, "192.0.2.1", 80, Core.Planning.Destination.ClusterEndpoints)],
        });
        Assert.Empty(await harness.BoundAsync());
        Assert.Contains("tcp 192.0.2.1:80 rr", await harness.ListAsync());
        Assert.DoesNotContain("192.0.2.1 ", Section(harness, "virtual-ips"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Excluded_virtual_services_and_those_by_mark_are_left_alone()
    {
        var kernel = new Kernel();
        await kernel.PrepareAsync();
        await AddAsync(kernel, Tcp("203.0.113.5"));
        await AddAsync(kernel, Tcp("198.51.100.5"));
        await AddAsync(kernel, new VirtualServiceKey(IpFamily.IPv4, 7));
        await using var harness = await StartAsync(kernel, options => options with { ExcludedBlocks = [Cidr.Parse("203.0.113.0/24")] });
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10"));
        Assert.Equal(["fwm 7 wlc", "tcp 203.0.113.5:80 wlc"], await harness.ListAsync());
    }

    [Fact]
    public async Task A_wanted_one_in_an_excluded_block_is_taken_over()
    {
        var kernel = new Kernel();
        await kernel.PrepareAsync();
        await AddAsync(kernel, Tcp("10.96.0.10"));
        await using var harness = await StartAsync(kernel, options => options with { ExcludedBlocks = [Cidr.Parse("10.96.0.0/24")] });
        Assert.Empty((await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1))).Quarantined);
        Assert.Equal(["tcp 10.96.0.10:80 -> 10.244.0.2:8080 Masquerade 1", "tcp 10.96.0.10:80 rr"], await harness.ListAsync());
    }

    [Fact]
    public async Task What_others_change_is_repaired_and_counted()
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        var expected = await harness.ListAsync();
        await harness.Ipvs.ApplyAsync(new IpvsOperation.DeleteService(Tcp("10.96.0.10")), Ct);
        await harness.Ipvs.ApplyAsync(new IpvsOperation.SetDestination(Tcp("10.96.0.12"), new Destination { Endpoint = Plans.Endpoints(1)[0], Weight = 7 }), Ct);
        var result = await harness.VerifyAsync();
        Assert.Equal(2, result.Repaired);
        Assert.Equal(expected, await harness.ListAsync());
    }

    [Fact]
    public async Task What_others_change_is_found_by_looking_from_time_to_time()
    {
        var reasons = new List<string>();
        await using var harness = await StartAsync(requestSync: reasons.Add);
        await harness.FirstSyncAsync(Plans.EveryKind());
        var expected = await harness.ListAsync();
        await PassAsync(harness, TimeSpan.FromSeconds(65), _ => Task.FromResult(false));
        Assert.DoesNotContain(reasons, reason => reason.Contains("virtual services", StringComparison.Ordinal));
        await harness.Ipvs.FlushAsync(Ct);
        await PassAsync(harness, TimeSpan.FromSeconds(65), _ => Task.FromResult(reasons.Any(reason => reason.Contains("virtual services", StringComparison.Ordinal))));
        var result = await harness.SyncAsync();
        Assert.Equal(9, result.Repaired);
        Assert.Equal(expected, await harness.ListAsync());
    }

    [Fact]
    public async Task An_address_that_others_remove_is_bound_again()
    {
        var reasons = new List<string>();
        await using var harness = await StartAsync(requestSync: reasons.Add);
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1));
        var link = (await harness.Memory.Routes.ListLinksAsync(Ct)).Single(link => link.Name == "kube-ipvs0");
        await harness.Memory.Routes.DeleteAddressAsync(new Netfilter.Rtnetlink.InterfaceAddress(link.Index, IpAddr.Parse("10.96.0.10"), 32), Ct);
        await PassAsync(harness, TimeSpan.FromSeconds(10), _ => Task.FromResult(reasons.Count > 0));
        Assert.Equal(1, (await harness.SyncAsync()).Repaired);
        Assert.Equal(["10.96.0.10/32"], await harness.BoundAsync());
    }

    [Fact]
    public async Task An_interface_that_others_remove_is_made_again()
    {
        var reasons = new List<string>();
        await using var harness = await StartAsync(requestSync: reasons.Add);
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1));
        var link = (await harness.Memory.Routes.ListLinksAsync(Ct)).Single(link => link.Name == "kube-ipvs0");
        await harness.Memory.Routes.DeleteLinkAsync(link.Index, Ct);
        await PassAsync(harness, TimeSpan.FromSeconds(10), _ => Task.FromResult(reasons.Count > 0));
        await harness.SyncAsync();
        Assert.Equal(["10.96.0.10/32"], await harness.BoundAsync());
    }

    [Fact]
    public async Task A_refused_service_is_quarantined_and_named_and_all_others_are_in_force()
    {
        await using var harness = await StartAsync();
        harness.Ipvs.Refuse = operation => operation is IpvsOperation.AddService && operation.Service == Tcp("10.96.0.12") ? Errno.InvalidArgument : 0;
        var result = await harness.FirstSyncAsync(Plans.EveryKind());
        var refused = Assert.Single(result.Quarantined);
        Assert.Equal(Plans.Name("external"), refused.Owner);
        Assert.Contains("add virtual service tcp 10.96.0.12:80", refused.Reason, StringComparison.Ordinal);
        var lines = await harness.ListAsync();
        Assert.Contains("tcp 10.96.0.10:80 rr", lines);
        Assert.Contains("tcp 198.18.20.1:80 rr", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("tcp 198.18.10.1:80", StringComparison.Ordinal));
        Assert.DoesNotContain("10.96.0.12 .", Section(harness, "balanced-ips"), StringComparison.Ordinal);

        harness.Ipvs.Refuse = null;
        Assert.Empty((await harness.SyncAsync(Plans.EveryKind().Single(plan => plan.Name == refused.Owner))).Quarantined);
        Assert.Contains("tcp 10.96.0.12:80 rr", await harness.ListAsync());
    }

    [Fact]
    public async Task A_service_that_the_rules_refuse_is_not_balanced_either()
    {
        await using var harness = await StartAsync();
        harness.Memory.Nftables.Refuse = (operation, element) => element is not null && operation.ToString()!.Contains("firewall-sources", StringComparison.Ordinal) ? Errno.InvalidArgument : 0;
        var result = await harness.FirstSyncAsync(Plans.EveryKind());
        Assert.Equal(Plans.Name("local"), Assert.Single(result.Quarantined).Owner);
        Assert.DoesNotContain(await harness.ListAsync(), line => line.StartsWith("tcp 198.18.20.1", StringComparison.Ordinal));
        Assert.Contains("tcp 10.96.0.10:80 rr", await harness.ListAsync());
    }

    [Fact]
    public async Task A_service_chooses_its_scheduler()
    {
        await using var harness = await StartAsync(configure: options => options with { Scheduler = "wlc" });
        await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1), Plans.ClusterIp("b", "10.96.0.11", 1) with { Scheduler = "mh" },
            Plans.ClusterIp("c", "10.96.0.12", 1) with { Scheduler = "nosuch" });
        var lines = await harness.ListAsync();
        Assert.Contains("tcp 10.96.0.10:80 wlc", lines);
        Assert.Contains("tcp 10.96.0.11:80 mh HashPort", lines);
        var result = await harness.SyncAsync();
        Assert.Contains("no such scheduler", Assert.Single(result.Quarantined).Reason, StringComparison.Ordinal);
        await harness.SyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1) with { Scheduler = "lc" });
        Assert.Contains("tcp 10.96.0.10:80 lc", await harness.ListAsync());
    }

    [Fact]
    public async Task A_scheduler_that_the_kernel_does_not_have_is_named_at_the_start()
    {
        var problem = await Assert.ThrowsAsync<ProxyBackendException>(() => StartAsync(configure: options => options with { Scheduler = "nosuch" }));
        Assert.Contains("ip_vs_nosuch", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("6.1", "1")]
    [InlineData("5.4", "0")]
    public async Task Sysctls_are_set_by_the_version_of_the_kernel(string version, string reuse)
    {
        await using var harness = await StartAsync(configure: options => options with { StrictArp = true }, kernelVersion: Version.Parse(version));
        Assert.Equal(reuse, harness.Memory.Read("proc/sys/net/ipv4/vs/conn_reuse_mode").Trim());
        Assert.Equal("1", harness.Memory.Read("proc/sys/net/ipv4/vs/conntrack").Trim());
        Assert.Equal("1", harness.Memory.Read("proc/sys/net/ipv4/vs/expire_nodest_conn").Trim());
        Assert.Equal("1", harness.Memory.Read("proc/sys/net/ipv4/vs/expire_quiescent_template").Trim());
        Assert.Equal("1", harness.Memory.Read("proc/sys/net/ipv4/conf/all/arp_ignore").Trim());
        Assert.Equal("2", harness.Memory.Read("proc/sys/net/ipv4/conf/all/arp_announce").Trim());
    }

    [Fact]
    public async Task Timeouts_of_zero_are_left_alone()
    {
        await using var harness = await StartAsync(configure: options => options with { Timeouts = new IpvsTimeouts(TimeSpan.FromSeconds(60), TimeSpan.Zero, TimeSpan.Zero) });
        Assert.Equal(new IpvsTimeouts(TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5)), await harness.Ipvs.GetTimeoutsAsync(Ct));
    }

    [Fact]
    public async Task Cleanup_removes_what_is_ours_and_nothing_else()
    {
        var kernel = await FilledAsync(Plans.EveryKind());
        await AddAsync(kernel, new VirtualServiceKey(IpFamily.IPv4, 7));
        await AddAsync(kernel, Tcp("203.0.113.5")); // of another host, for direct routing
        await AddAsync(kernel, Tcp("192.0.2.1", 99));
        var removed = await Ipvs.Backend.IpvsCleanup.RunAsync(kernel.Ipvs, kernel.Routes, [Cidr.Parse("192.0.2.0/24")], Ct);
        Assert.Contains("interface kube-ipvs0", removed);
        var left = await ListAsync(kernel.Ipvs);
        Assert.Contains("fwm 7 wlc", left);
        Assert.Contains("tcp 203.0.113.5:80 wlc", left);
        Assert.Contains("tcp 192.0.2.1:99 wlc", left);
        Assert.DoesNotContain(left, line => line.StartsWith("tcp 10.96.", StringComparison.Ordinal) || line.StartsWith("tcp 198.18.", StringComparison.Ordinal));
        Assert.Empty(await Ipvs.Backend.IpvsCleanup.RunAsync(kernel.Ipvs, kernel.Routes, [], Ct));
    }

    [Fact]
    public async Task The_interface_is_a_rival_of_other_modes_that_wins_with_its_addresses()
    {
        var kernel = await FilledAsync([Plans.ClusterIp("web", "10.96.0.10", 1)]);
        var search = new Ipvs.Backend.IpvsRivals(() => kernel.Routes);
        var rival = Assert.Single(await search.SearchAsync(Ct));
        Assert.Equal(("interface kube-ipvs0 with 1 addresses", true), (rival.Details, rival.CanWin));
        await kernel.Routes.DeleteAddressAsync((await kernel.Routes.ListAddressesAsync(cancellationToken: Ct)).Single(address => address.Address == IpAddr.Parse("10.96.0.10")), Ct);
        Assert.False(Assert.Single(await search.SearchAsync(Ct)).CanWin);
        await Ipvs.Backend.IpvsCleanup.RunAsync(kernel.Ipvs, kernel.Routes, [], Ct);
        Assert.Empty(await search.SearchAsync(Ct));
    }

    private static async Task<Kernel> FilledAsync(IReadOnlyList<ServicePortPlan> plans)
    {
        await using var harness = await StartAsync();
        await harness.FirstSyncAsync(plans);
        return harness.Memory;
    }

    private static Task AddAsync(Kernel kernel, VirtualServiceKey key) =>
        kernel.Ipvs.ApplyAsync(new IpvsOperation.AddService(new VirtualService { Key = key, Scheduler = "wlc" }));

    // Lets time pass until something is so.
    private static async Task PassAsync(IpvsHarness harness, TimeSpan time, Func<Func<Task<IReadOnlyList<string>>>, Task<bool>> until)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(1))
        {
            if (await until(harness.ListAsync)) return;
            harness.Time.Advance(TimeSpan.FromSeconds(1));
            for (var i = 0; i < 20; i++) await Task.Delay(1, Ct);
        }
    }

    private static string Section(IpvsHarness harness, string set) =>
        string.Join('\n', harness.Memory.Nftables.Elements(new NftSetKey(new NftTableKey(NftFamily.Ip, "kube-proxy"), set)).Select(element => element.ToString()));
}
