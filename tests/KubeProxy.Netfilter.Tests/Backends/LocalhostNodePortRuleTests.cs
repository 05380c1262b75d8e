using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Testing;

namespace KubeProxy.Netfilter.Tests.Backends;

public class LocalhostNodePortRuleTests
{
    private static readonly NftablesBackendOptions Options = new() { Family = IpFamily.IPv4, Masquerade = BackendHarness.Policy, LocalhostNodePorts = true };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, "ip daddr 127.0.0.0/8 meta l4proto . th dport @localhost-nodeports goto localhost-nodeport-reject")]
    [InlineData(true, "ip daddr 127.0.0.0/8 meta l4proto != tcp meta l4proto . th dport @localhost-nodeports goto localhost-nodeport-reject")]
    public async Task Loopback_addresses_refuse_what_is_not_relayed(bool namesLocalhost, string rule)
    {
        await using var harness = await BackendHarness.StartAsync(options: Options);
        await SyncAsync(harness, namesLocalhost, Plans.EveryKind());
        var dump = harness.Nftables.Dump();
        Assert.Contains(rule, dump, StringComparison.Ordinal);
        foreach (var reject in (string[])["tcp counter packets 0 bytes 0 reject with tcp reset", "udp counter packets 0 bytes 0 reject", "sctp counter packets 0 bytes 0 reject"])
            Assert.Contains($"meta l4proto {reject}\n", dump, StringComparison.Ordinal);
        Assert.Equal([30080, 30081, 30082, 30083], PortsOf(harness));
    }

    [Fact]
    public async Task A_change_of_the_addresses_is_one_chain()
    {
        await using var harness = await BackendHarness.StartAsync(options: Options);
        await SyncAsync(harness, false, Plans.EveryKind());
        var chain = await ChainAsync(harness, LocalhostRejects.ChainName);
        Assert.True((await SyncAsync(harness, true)).Operations > 0);
        Assert.Equal(chain, await ChainAsync(harness, LocalhostRejects.ChainName)); // With its counts.
        Assert.Equal([30080, 30081, 30082, 30083], PortsOf(harness));
    }

    [Fact]
    public async Task Counts_are_no_difference_on_restart()
    {
        var nftables = new InMemoryNftables();
        await using (var first = await BackendHarness.StartAsync(nftables, Options)) await SyncAsync(first, false, Plans.EveryKind());
        await using var second = await BackendHarness.StartAsync(nftables, Options, seen: inner => new CountingNftables(inner));
        Assert.Equal(0, (await SyncAsync(second, false, Plans.EveryKind())).Operations);
    }

    [Fact]
    public async Task Without_the_gate_what_another_start_left_is_removed()
    {
        var nftables = new InMemoryNftables();
        await using (var plain = await BackendHarness.StartAsync(nftables)) await plain.FirstSyncAsync(Plans.EveryKind());
        var before = nftables.Dump();
        Assert.DoesNotContain("localhost-nodeport", before, StringComparison.Ordinal);
        await using (var gated = await BackendHarness.StartAsync(nftables, Options)) await SyncAsync(gated, false, Plans.EveryKind());
        await using var again = await BackendHarness.StartAsync(nftables);
        await again.FirstSyncAsync(Plans.EveryKind());
        Assert.Equal(before, nftables.Dump());
    }

    private static Task<SyncResult> SyncAsync(BackendHarness harness, bool namesLocalhost, params IReadOnlyList<ServicePortPlan> plans) =>
        harness.Backend.SyncAsync(new PlanChanges { Node = Plans.Node() with { NamesLocalhost = namesLocalhost }, Updated = plans }, Cancel);

    private static IEnumerable<int> PortsOf(BackendHarness harness) => harness.Nftables
        .Elements(new NftSetKey(RuleParts.TableOf(IpFamily.IPv4), FixedSets.LocalhostNodePorts))
        .Select(element => FrontendBytes.TryDecode(element.Key, null, out var key) ? key.Port : 0).Order();

    private static async Task<IReadOnlyList<ulong>> ChainAsync(BackendHarness harness, string chain) =>
        [.. (await harness.Nftables.ReadTableAsync(RuleParts.TableOf(IpFamily.IPv4), Cancel))!.Rules[chain].Select(rule => rule.Handle)];

    /// <summary>A kernel that has seen packets.</summary>
    private sealed class CountingNftables(INftables inner) : INftables
    {
        public async Task<NftTableContent?> ReadTableAsync(NftTableKey table, CancellationToken cancellationToken = default)
        {
            if (await inner.ReadTableAsync(table, cancellationToken) is not { } content) return null;
            return content with
            {
                Rules = content.Rules.ToDictionary(chain => chain.Key, chain => (IReadOnlyList<NftRuleInKernel>)[.. chain.Value.Select(Counted)]),
            };
        }

        public Task<NftCommitResult> CommitAsync(NftTransaction transaction, CancellationToken cancellationToken = default) => inner.CommitAsync(transaction, cancellationToken);

        public INftPreparedTransaction Prepare(NftTransaction transaction) => inner.Prepare(transaction);

        public Task<uint> GetGenerationAsync(CancellationToken cancellationToken = default) => inner.GetGenerationAsync(cancellationToken);

        public Task<IReadOnlyList<NftTable>> ListTablesAsync(NftFamily? family = null, CancellationToken cancellationToken = default) => inner.ListTablesAsync(family, cancellationToken);

        public Task<IReadOnlyList<NftChain>> ListChainsAsync(NftTableKey table, CancellationToken cancellationToken = default) => inner.ListChainsAsync(table, cancellationToken);

        public Task VisitRulesAsync(NftTableKey table, string? chain, NftRuleVisitor visit, Action restart, CancellationToken cancellationToken = default) =>
            inner.VisitRulesAsync(table, chain, visit, restart, cancellationToken);

        public Task<uint> ReadElementsAsync(NftSet set, Action<NftElement> visit, Action restart, CancellationToken cancellationToken = default) =>
            inner.ReadElementsAsync(set, visit, restart, cancellationToken);

        public Task<uint> GetElementsAsync(
            NftSet set, IEnumerable<IReadOnlyList<NftElement>> keys, NftElementVisitor visit, Action restart, CancellationToken cancellationToken = default) =>
            inner.GetElementsAsync(set, keys, visit, restart, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private static NftRuleInKernel Counted(NftRuleInKernel rule) => rule with
        {
            Rule = rule.Rule with
            {
                Statements = [.. rule.Rule.Statements.Select(statement => statement is NftCounter counter ? counter with { Packets = 7, Bytes = 420 } : statement)],
            },
        };
    }
}
