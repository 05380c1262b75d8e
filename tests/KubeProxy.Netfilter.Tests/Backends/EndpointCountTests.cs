using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>Services of any number of endpoints, beside others.</summary>
public class EndpointCountTests
{
    private const int OutOfMemory = 12; // ENOMEM

    private static readonly RuleParts Rules = new(IpFamily.IPv4, new MasqueradePolicy());

    [Theory]
    [InlineData(1)]
    [InlineData(2_048)]
    [InlineData(2_049)]
    [InlineData(5_000)]
    [InlineData(100_000)]
    public async Task Services_grow_and_shrink_over_every_size_beside_others(int count)
    {
        await using var harness = await BackendHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.ClusterIp("small", "10.96.0.10", 1, 2, 3));
        var grown = await harness.SyncAsync(Large(count));
        Assert.Empty(grown.Quarantined);
        Assert.Equal(count + 3, Count(harness));
        Assert.Equal(2, (await harness.SyncAsync(Plans.ClusterIp("small", "10.96.0.10", 1, 4, 3))).Operations);
        await harness.SyncAsync(Large(3));
        Assert.Equal(6, Count(harness));

        await using var scratch = await BackendHarness.StartAsync();
        await scratch.FirstSyncAsync(Plans.ClusterIp("small", "10.96.0.10", 1, 4, 3), Large(count));
        Assert.Equal(count + 3, Count(scratch));
    }

    [Fact]
    public void No_size_leads_to_another_so_that_no_length_exceeds_the_kernels_limit_of_jumps()
    {
        var chains = new Balancing(Rules).Chains([.. SizeClass.Largest.UpTo()], EndpointLists.All).ToDictionary(chain => chain.Chain.Key.Name);
        foreach (var lists in EndpointLists.All)
        {
            foreach (var size in SizeClass.Largest.UpTo())
                Assert.DoesNotContain(chains[lists.ChainOf(size)].Rules.SelectMany(rule => rule.Statements), statement => statement is NftVerdictStatement { Verdict.Chain: not null });
        }
    }

    // What the typed rules of a chain do with a random source, as the kernel evaluates them: a lookup that finds nothing ends the rule.
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(9)]
    [InlineData(17)]
    [InlineData(33)]
    [InlineData(48)]
    [InlineData(64)]
    [InlineData(100)]
    public void All_endpoints_are_equally_likely(int count)
    {
        var size = SizeClass.Of(count);
        var rules = new Balancing(Rules).Chains([size], [EndpointLists.Ips]).Single(chain => chain.Chain.Key.Name == EndpointLists.Ips.ChainOf(size)).Rules;
        uint[] draws = [.. rules.Select(rule => ((NftNat)rule.Statements.Single()).Address).Cast<NftMapLookup>().Select(lookup => ((NftConcat)lookup.Key).Parts.OfType<NftNumgen>().Single().Modulus)];
        var chances = new double[count];
        var left = 1.0;
        foreach (var slots in draws)
        {
            for (var slot = 0; slot < Math.Min(slots, count); slot++) chances[slot] += left / slots;
            left *= slots > count ? 1 - ((double)count / slots) : 0;
        }

        Assert.Equal(0, left);
        Assert.Equal(1, chances.Sum(), 9);
        Assert.All(chances, chance => Assert.InRange(chance * count, 0.99, 1.01));
    }

    [Fact]
    public async Task Shared_rules_that_the_kernel_refuses_quarantine_those_that_need_them()
    {
        await using var harness = await BackendHarness.StartAsync();
        harness.Nftables.Refuse = RefuseLarge;
        var first = await harness.FirstSyncAsync(Plans.ClusterIp("small", "10.96.0.10", 1, 2, 3), Large(3_000));
        Assert.Equal("default/large:http", Assert.Single(first.Quarantined).Owner.ToString());
        Assert.Equal(3, Count(harness));

        // Everything else goes on, and what fits comes into force at once.
        Assert.Equal(2, (await harness.SyncAsync(Plans.ClusterIp("small", "10.96.0.10", 1, 4, 3))).Operations);
        Assert.Empty((await harness.SyncAsync(Large(20))).Quarantined);
        Assert.Equal(23, Count(harness));

        // What was in force before stays when it grows too large.
        Assert.Single((await harness.SyncAsync(Large(3_000))).Quarantined);
        Assert.Equal(23, Count(harness));
        harness.Nftables.Refuse = null;
        var verified = await harness.Backend.SyncAsync(new PlanChanges { Verify = true }, TestContext.Current.CancellationToken);
        Assert.Empty(verified.Quarantined);
        Assert.Equal(3_003, Count(harness));
    }

    [Fact]
    public async Task Base_rules_that_the_kernel_refuses_are_nobodys_fault()
    {
        await using var harness = await BackendHarness.StartAsync();
        harness.Nftables.Refuse = (operation, _) => operation is NftOperation.AddChain { Chain.Key.Name: "services" } ? OutOfMemory : 0;
        var refused = await Assert.ThrowsAsync<ProxyBackendException>(() => harness.FirstSyncAsync(Plans.ClusterIp("small", "10.96.0.10", 1), Large(3_000)));
        Assert.Contains("base rules", refused.Message, StringComparison.Ordinal);
        harness.Nftables.Refuse = null;
        Assert.Empty((await harness.Backend.SyncAsync(PlanChanges.None, TestContext.Current.CancellationToken)).Quarantined);
        Assert.Equal(3_001, Count(harness));
    }

    [Fact]
    public async Task Of_two_sizes_only_the_refused_one_is_given_up()
    {
        await using var harness = await BackendHarness.StartAsync();
        harness.Nftables.Refuse = (operation, _) => operation is NftOperation.AddSet { Set.Key.Name: "service-ips-4096" } ? OutOfMemory : 0;
        var first = await harness.FirstSyncAsync(Large(3_000), Large(100, "larger"), Large(20_000, "largest"));
        Assert.Equal("default/large:http", Assert.Single(first.Quarantined).Owner.ToString());
        Assert.Equal(20_100, Count(harness));
    }

    [Fact]
    public async Task One_that_makes_jumps_too_many_is_not_the_fault_of_those_after_it()
    {
        await using var harness = await BackendHarness.StartAsync();
        var culprit = false;
        // As the kernel does: from the first one on, everything.
        harness.Nftables.Refuse = (operation, _) =>
        {
            culprit = operation is not NftOperation.AddTable && (culprit || operation is NftOperation.AddRule { Chain.Name: "endpoints-4096" });
            return culprit && operation is NftOperation.AddRule or NftOperation.AddElements && culprit ? 31 : 0;
        };
        var first = await harness.FirstSyncAsync(Plans.ClusterIp("a", "10.96.0.10", 1, 2), Large(3_000), Plans.ClusterIp("z", "10.96.0.11", 1, 2));
        Assert.Equal("default/large:http", Assert.Single(first.Quarantined).Owner.ToString());
        Assert.Equal(4, Count(harness));
    }

    // nf_tables_jumps_max_netns is 256,000 unless it is set; docs/nftables.md has the number.
    [Fact]
    public async Task Jumps_are_few_whatever_there_is()
    {
        await using var harness = await BackendHarness.StartAsync();
        var first = await harness.FirstSyncAsync([.. Plans.EveryKind(), .. Enumerable.Range(1, 16).Select(bits => Large(1 << bits, $"large-{bits}"))]);
        Assert.Empty(first.Quarantined);
        Assert.InRange(harness.Nftables.JumpCount, 1, 1000);
    }

    [Fact]
    public async Task Jumps_beyond_the_limit_of_the_namespace_are_said_to_be_so()
    {
        await using var harness = await BackendHarness.StartAsync();
        harness.Nftables.MaxJumps = 3;
        var refused = await Assert.ThrowsAsync<ProxyBackendException>(() => harness.FirstSyncAsync(Plans.ClusterIp("small", "10.96.0.10", 1)));
        Assert.Contains("nf_tables_jumps_max_netns", refused.Message, StringComparison.Ordinal);
        harness.Nftables.MaxJumps = null;
        Assert.Empty((await harness.Backend.SyncAsync(PlanChanges.None, TestContext.Current.CancellationToken)).Quarantined);
    }

    private static int RefuseLarge(NftOperation operation, NftElement? _) =>
        operation is NftOperation.AddChain { Chain.Key.Name: var name } && EndpointLists.SizeOf(name) is { Slots: > 1_024 } ? OutOfMemory : 0;

    private static int Count(BackendHarness harness) => harness.Nftables.Elements(new NftSetKey(Rules.Table, FixedSets.Endpoints)).Count;

    private static ServicePortPlan Large(int count, string name = "large") => Plans.ClusterIp(name, $"10.96.1.{name.Length}") with
    {
        Frontends = [.. Plans.ClusterIp(name, $"10.96.1.{name.Length}", 1).Frontends],
        ClusterEndpoints = [.. Enumerable.Range(0, count).Select(i => new IpEndpoint(IpAddr.FromValue(IpFamily.IPv4, (UInt128)(0x0A80_0000 + i)), 8080))],
    };
}
