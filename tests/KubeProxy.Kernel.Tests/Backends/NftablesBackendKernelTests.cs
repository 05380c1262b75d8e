using System.Text.Json.Nodes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Kernel.Tests.Nftables;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Conntrack.Testing;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using KubeProxy.Netfilter.Tests.Backends;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The table of the backend, with nft as the witness.</summary>
public sealed class NftablesBackendKernelTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_nft_prints_loads_again_as_the_same()
    {
        using var ours = NetworkNamespace.Create();
        using var fromText = NetworkNamespace.Create();
        foreach (var family in Enum.GetValues<IpFamily>())
        {
            await using var backend = await KernelBackend.StartAsync(ours, family);
            await backend.FirstSyncAsync(Plans.EveryKind(family));
        }

        fromText.ExecWithInput(ours.Exec("nft", "list", "ruleset"), "nft", "-f", "-");
        NftListings.AssertEqual(ours, fromText);

        // Of JSON, nft 1.0.6 reads back neither maps with concatenated data nor keys with an integer: not even the smallest.
        var objects = JsonNode.Parse(ours.Exec("nft", "-j", "list", "ruleset"))!["nftables"]!.AsArray();
        foreach (var family in new[] { "ip", "ip6" })
        {
            var content = await ReadAsync(ours, family == "ip" ? IpFamily.IPv4 : IpFamily.IPv6);
            Assert.Equal(content.Chains.Count, Count("chain", family));
            Assert.Equal(content.Sets.Count, Count("set", family) + Count("map", family));
            Assert.Equal(content.Rules.Values.Sum(rules => rules.Count), Count("rule", family));
        }

        int Count(string kind, string family) => objects.Count(item => item![kind]?["family"]?.GetValue<string>() == family);
    }

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public async Task Text_of_the_table_in_memory_loads_as_what_the_backend_writes(IpFamily family)
    {
        using var ours = NetworkNamespace.Create();
        using var theirs = NetworkNamespace.Create();
        await using var backend = await KernelBackend.StartAsync(ours, family);
        await backend.FirstSyncAsync(Plans.EveryKind(family));
        theirs.ExecWithInput(await TextInMemoryAsync(family), "nft", "-f", "-");
        NftListings.AssertSameObjects(theirs, ours);
    }

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public async Task Restart_with_nothing_changed_sends_no_write_message(IpFamily family)
    {
        using var ns = NetworkNamespace.Create();
        var plans = Plans.EveryKind(family);
        await using (var first = await KernelBackend.StartAsync(ns, family)) await first.FirstSyncAsync(plans);
        var before = ns.Exec("nft", "-a", "list", "ruleset");
        await using var second = await KernelBackend.StartAsync(ns, family);
        var result = await second.FirstSyncAsync([.. plans.Reverse()]);
        await second.SyncAsync(new PlanChanges { Verify = true });
        Assert.Equal(0, result.Operations);
        Assert.Equal(0, second.Sent.WriteMessages);
        Assert.Equal(before, ns.Exec("nft", "-a", "list", "ruleset"));
    }

    [Fact]
    public async Task Restart_knows_what_nft_loaded()
    {
        using var ns = NetworkNamespace.Create();
        ns.ExecWithInput(await TextInMemoryAsync(IpFamily.IPv4), "nft", "-f", "-");
        var before = ns.Exec("nft", "list", "ruleset");
        await using var backend = await KernelBackend.StartAsync(ns);
        var result = await backend.FirstSyncAsync(Plans.EveryKind());
        Assert.Equal(before, ns.Exec("nft", "list", "ruleset"));

        // For intervals with an upper-layer protocol in the key nft adds a conversion of one byte to network order.
        Assert.Equal(1, result.Operations);
    }

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public async Task Number_of_objects_does_not_depend_on_the_number_of_services(IpFamily family)
    {
        var few = await CountObjectsAsync(family, 10);
        var many = await CountObjectsAsync(family, 10_000);
        Assert.Equal(few with { Elements = 0 }, many with { Elements = 0 });
        Assert.Equal(50, few.Elements); // cluster IP, verdict and three endpoints
        Assert.Equal(50_000, many.Elements);
    }

    [Theory]
    [InlineData("flush table ip kube-proxy")]
    [InlineData("delete table ip kube-proxy")]
    [InlineData("add table ip kube-proxy { flags dormant; }")]
    [InlineData("flush set ip kube-proxy cluster-ips")]
    [InlineData("add rule ip kube-proxy services counter drop")]
    [InlineData("add map ip kube-proxy mine { type ipv4_addr : verdict; }")]
    [InlineData("add chain ip kube-proxy mine { type filter hook input priority 7; }")]
    public async Task Verification_undoes_what_others_did(string command)
    {
        using var ns = NetworkNamespace.Create();
        await using var backend = await KernelBackend.StartAsync(ns);
        await backend.FirstSyncAsync(Plans.EveryKind());
        var before = NftListings.Text(ns);
        ns.Exec("nft", command);
        var result = await backend.SyncAsync(new PlanChanges { Verify = true });
        Assert.True(result.Repaired > 0);
        Assert.Equal(before, NftListings.Text(ns));
    }

    [Fact]
    public async Task Table_owned_by_another_socket_is_told_and_taken_over_when_that_is_closed()
    {
        using var ns = NetworkNamespace.Create();
        await using var backend = KernelBackend.Create(ns);
        await using (var owner = ns.Run(() => NftablesClient.Open()))
        {
            var table = new NftTable(new NftTableKey(NftFamily.Ip, "kube-proxy")) { Flags = NftTableFlags.Owner };
            await owner.CommitAsync(new NftTransaction().Add(table), Cancel);
            await backend.StartAsync(ns);
            var refused = await Assert.ThrowsAnyAsync<ProxyBackendException>(() => backend.FirstSyncAsync(Plans.EveryKind()));
            Assert.Contains("is owned by another process", refused.Message, StringComparison.Ordinal);
            Assert.Contains("End that process", refused.Message, StringComparison.Ordinal);
            Assert.Equal(0, backend.Sent.WriteMessages);

            // The other family is not concerned.
            await using var other = await KernelBackend.StartAsync(ns, IpFamily.IPv6);
            await other.FirstSyncAsync(Plans.EveryKind(IpFamily.IPv6));
            Assert.Contains("table ip6 kube-proxy", ns.Exec("nft", "list", "tables"), StringComparison.Ordinal);
        }

        await backend.SyncAsync(PlanChanges.None);
        Assert.Contains("10.96.0.10 . tcp . 80", ns.Exec("nft", "list", "set", "ip", "kube-proxy", "service-ips-4"), StringComparison.Ordinal);
    }

    private static async Task<string> TextInMemoryAsync(IpFamily family)
    {
        var nftables = new InMemoryNftables();
        using var routes = new InMemoryRoute();
        using var conntrack = new InMemoryConntrack();
        await using var backend = new NftablesBackend(
            new NftablesBackendOptions { Family = family, Masquerade = Plans.Policy(family) },
            new NftablesBackendParts { Nftables = nftables, Routes = routes, Conntrack = conntrack },
            NullLogger<NftablesBackend>.Instance);
        await backend.StartAsync(_ => { }, Cancel);
        await backend.SyncAsync(new PlanChanges { Node = Plans.Node(family), Updated = Plans.EveryKind(family) }, Cancel);
        return nftables.Dump();
    }

    private static async Task<Sizes> CountObjectsAsync(IpFamily family, int services)
    {
        using var ns = NetworkNamespace.Create();
        await using var backend = await KernelBackend.StartAsync(ns, family);
        var plans = Enumerable.Range(0, services).Select(i => Plans.ClusterIp($"s{i}", $"10.96.{i / 250}.{i % 250}", 1, 2, 3));
        await backend.FirstSyncAsync([.. family == IpFamily.IPv4 ? plans : plans.Select(plan => plan.ToIPv6())]);
        var content = await ReadAsync(ns, family);
        await using var client = ns.Run(() => NftablesClient.Open());
        var elements = 0;
        foreach (var set in content.Sets.Values) await client.ReadElementsAsync(set, _ => elements++, () => elements = 0, Cancel);
        return new Sizes(content.Chains.Count, content.Sets.Count, content.Rules.Values.Sum(rules => rules.Count), elements);
    }

    private static async Task<NftTableContent> ReadAsync(NetworkNamespace ns, IpFamily family)
    {
        await using var client = ns.Run(() => NftablesClient.Open());
        return (await client.ReadTableAsync(new NftTableKey(family == IpFamily.IPv4 ? NftFamily.Ip : NftFamily.Ip6, "kube-proxy"), Cancel))!;
    }

    private sealed record Sizes(int Chains, int Sets, int Rules, int Elements);
}
