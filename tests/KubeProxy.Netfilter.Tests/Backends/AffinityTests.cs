using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>What session affinity puts into the table, and what becomes of the clients in it.</summary>
public class AffinityTests
{
    private static readonly NftTableKey Table = new(NftFamily.Ip, "kube-proxy");
    private static readonly IpAddr Client = IpAddr.Parse("203.0.113.50");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Objects_depend_on_the_number_of_timeouts_and_not_of_services()
    {
        var one = await CountAsync(1, 1);
        Assert.Equal(one, await CountAsync(200, 1));
        var two = await CountAsync(200, 2);
        Assert.Equal((one.Chains, one.Sets + 1, one.Rules + 2), two);
    }

    [Fact]
    public async Task Replacing_an_endpoint_is_four_elements_whatever_frontends_there_are()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Sticky("a", 10, 1, 2, 3));
        Assert.Equal(4, (await harness.SyncAsync(Sticky("a", 10, 1, 4, 3))).Operations);
        Assert.Equal(2, (await harness.SyncAsync(Sticky("a", 10, 1, 4, 3, 5))).Operations);
    }

    [Fact]
    public async Task Endpoints_keep_their_numbers_when_slots_move_and_get_new_ones_when_they_come_back()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Sticky("a", 10, 1, 2, 3));
        var before = Numbers(harness.Nftables);
        await harness.SyncAsync(Sticky("a", 10, 2, 3));
        var moved = Numbers(harness.Nftables);
        Assert.Equal(before.Where(number => moved.ContainsKey(number.Key)), moved);
        await harness.SyncAsync(Sticky("a", 10, 1, 2, 3));
        var back = Numbers(harness.Nftables);
        Assert.Equal(moved, back.Where(number => moved.ContainsKey(number.Key)));
        var gone = before.Keys.Except(moved.Keys).Single();
        Assert.NotEqual(before[gone], back[gone]);
    }

    [Fact]
    public async Task Numbers_are_the_same_after_a_restart_and_new_ones_are_not_used_yet()
    {
        var nftables = new InMemoryNftables();
        await using (var first = await BackendHarness.StartAsync(nftables)) await first.FirstSyncAsync(Sticky("a", 10, 1, 2), Sticky("b", 11, 1, 2));
        var before = Numbers(nftables);
        await using var harness = await BackendHarness.StartAsync(nftables);
        Assert.Equal(0, (await harness.FirstSyncAsync(Sticky("b", 11, 1, 2), Sticky("a", 10, 1, 2))).Operations);
        await harness.SyncAsync(Sticky("c", 12, 1, 2));
        Assert.Equal(6, Numbers(nftables).Values.Distinct().Count());
        Assert.All(before, number => Assert.Equal(number.Value, Numbers(nftables)[number.Key]));
    }

    [Fact]
    public async Task Clients_whose_endpoint_left_are_removed_and_others_stay()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Sticky("a", 10, 1, 2, 3));
        var (servicePort, numbers) = (ServicePort(harness.Nftables), Numbers(harness.Nftables).Values.ToList());
        var clients = await RememberAsync(harness.Nftables, servicePort, numbers);
        var left = numbers.Count;
        await harness.SyncAsync(Sticky("a", 10, 2, 3));
        Assert.Equal(left - 1, harness.Nftables.Elements(clients.Key).Count);
        Assert.DoesNotContain(harness.Nftables.Elements(clients.Key), element => !Numbers(harness.Nftables).ContainsValue(element.Data.ToString()));
        await harness.Backend.SyncAsync(new PlanChanges { Removed = [Plans.Name("a")] }, Cancel);
        Assert.Empty(harness.Nftables.Elements(clients.Key));
    }

    [Fact]
    public async Task Clients_are_not_read_when_no_endpoint_with_affinity_leaves()
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Sticky("a", 10, 1, 2, 3), Plans.ClusterIp("plain", "10.96.0.99", 1, 2));
        var dumps = harness.Nftables.Counts.Dumps;
        await harness.SyncAsync(Plans.ClusterIp("plain", "10.96.0.99", 1));
        await harness.SyncAsync(Sticky("a", 10, 1, 2, 3, 4));
        await harness.SyncAsync(Sticky("b", 11, 1, 2, 3, 4));
        Assert.Equal(dumps, harness.Nftables.Counts.Dumps);
    }

    [Fact]
    public async Task Clients_of_the_old_layout_are_carried_over_with_the_first_endpoint_that_knows_them()
    {
        var nftables = new InMemoryNftables();
        var plan = Sticky("sticky", 10, 1, 2);
        NftSet Old(int endpoint) => new(new NftSetKey(Table, ObjectNames.ClientSet(plan.Name, plan.ClusterEndpoints[endpoint])))
        {
            KeyType = [NftDataType.Ipv4Addr], Flags = NftSetFlags.Dynamic | NftSetFlags.Timeout, Size = 1 << 20,
        };
        var element = new NftElement { Key = NftValue.Address(Client), Timeout = TimeSpan.FromMinutes(30) };
        await nftables.CommitAsync(new NftTransaction().Add(new NftTable(Table) { Comment = "rules for kube-proxy" }).Add(Old(0)).Add(Old(1))
            .AddElements(Old(0), [element]).AddElements(Old(1), [element with { Timeout = TimeSpan.FromMinutes(10) }]), Cancel);
        var commits = nftables.Counts.Commits;
        await using var harness = await BackendHarness.StartAsync(nftables);
        await harness.FirstSyncAsync(plan);
        Assert.Equal(commits + 1, nftables.Counts.Commits);
        var carried = Assert.Single(nftables.Elements(new NftSetKey(Table, FixedSets.AffinityClients)));
        Assert.Equal(TimeSpan.FromMinutes(30), carried.Timeout);
        Assert.Equal(Numbers(nftables)[Text(plan.ClusterEndpoints[0])], carried.Data.ToString());
        Assert.DoesNotContain(Old(0).Key.Name, nftables.Dump(), StringComparison.Ordinal);
    }

    // That it is the kernel's is shown by a test with the kernel, in which clients are found by it.
    [Theory]
    [InlineData("", 0u, uint.MaxValue)]
    [InlineData("01000000", 1u, uint.MaxValue)]
    [InlineData("0102030405060708090a0b0c0d0e0f10", 2u, 16u)]
    public void Hash_is_within_its_modulus_and_depends_on_seed_and_value(string hex, uint seed, uint modulus)
    {
        var value = Convert.FromHexString(hex);
        Assert.InRange(NftJenkins.Hash(value, modulus, seed), 0u, modulus - 1);
        if (modulus == uint.MaxValue) Assert.NotEqual(NftJenkins.Hash(value, modulus, seed), NftJenkins.Hash(value, modulus, seed + 1));
        Assert.Throws<ArgumentException>(() => NftJenkins.Hash(new byte[3], modulus, seed));
    }

    private static async Task<(int Chains, int Sets, int Rules)> CountAsync(int services, int timeouts)
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync([.. Enumerable.Range(1, services).Select(i => Sticky($"s{i}", i, 1, 2, 3) with { AffinityTimeout = TimeSpan.FromSeconds(100 + (i % timeouts)) })]);
        var content = (await harness.Nftables.ReadTableAsync(Table, Cancel))!;
        return (content.Chains.Count, content.Sets.Count, content.Rules.Values.Sum(rules => rules.Count));
    }

    private static async Task<NftSet> RememberAsync(InMemoryNftables nftables, uint servicePort, List<string> numbers)
    {
        var set = (await nftables.ReadTableAsync(Table, Cancel))!.Sets[FixedSets.AffinityClients];
        var all = nftables.Elements(new NftSetKey(Table, FixedSets.AffinityEndpoints));
        await nftables.CommitAsync(new NftTransaction().AddElements(set,
        [
            .. numbers.Select((number, i) => new NftElement
            {
                Key = AffinityClient.Encode(IpAddr.Parse($"203.0.113.{i + 1}"), servicePort),
                Data = all.Single(element => element.Key.ToString() == number).Key,
                Timeout = TimeSpan.FromHours(1),
            }),
        ]), Cancel);
        return set;
    }

    private static uint ServicePort(InMemoryNftables nftables)
    {
        var data = nftables.Elements(new NftSetKey(Table, "affinity-ips")).Single().Data;
        return AffinityBytes.TryDecode(data, IpFamily.IPv4, out var number) ? number : 0;
    }

    /// <summary>The numbers of endpoints. The same endpoint of two services has two: then the service port's slots are named with it.</summary>
    private static SortedDictionary<string, string> Numbers(InMemoryNftables nftables)
    {
        var numbers = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var endpoints = nftables.Elements(new NftSetKey(Table, FixedSets.AffinityEndpoints)).ToDictionary(e => e.Key.ToString(), e => e.Data.ToString());
        var several = endpoints.Values.Distinct().Count() < endpoints.Count;
        foreach (var slot in nftables.Elements(new NftSetKey(Table, "affinity-slots")))
            numbers.Add((several ? Convert.ToHexString(slot.Key.Span[..4]) + " " : "") + endpoints[slot.Data.ToString()], slot.Data.ToString());
        return numbers;
    }

    private static string Text(IpEndpoint endpoint) => NftValue.Concat(NftValue.Address(endpoint.Address), NftValue.Port(endpoint.Port)).ToString();

    private static ServicePortPlan Sticky(string name, int number, params int[] pods) => Plans.ClusterIp(name, $"10.96.{number / 250}.{(number % 250) + 1}", pods) with
    {
        AffinityTimeout = TimeSpan.FromHours(3),
    };
}
