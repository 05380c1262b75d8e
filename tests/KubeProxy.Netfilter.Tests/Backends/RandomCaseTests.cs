using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Backends.Userspace;
using KubeProxy.Netfilter.Conntrack.Testing;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using KubeProxy.Netfilter.Tests.Cases;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>Random objects of a cluster: nothing is refused, and neither their order nor a restart makes a difference.</summary>
public class RandomCaseTests
{
    public static TheoryData<string> Names() => RandomCases.Names();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Nftables_mode_ends_the_same_in_any_order(string name)
    {
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            var (nftables, scratch) = (new InMemoryNftables(), new InMemoryNftables());
            await using (var backend = Nftables(nftables, family)) await FeedInPortionsAsync(name, backend);
            await using (var backend = Nftables(scratch, family)) await FeedAtOnceAsync(name, backend);
            Assert.Equal(TableContent.Comparable(scratch, RuleParts.TableOf(family)), TableContent.Comparable(nftables, RuleParts.TableOf(family)));

            await using var restarted = Nftables(nftables, family);
            Assert.Equal(0, (await FeedAtOnceAsync(name, restarted)).Sum(result => result.Operations));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Userspace_mode_ends_the_same_in_any_order(string name)
    {
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            var (nftables, scratch) = (new InMemoryNftables(), new InMemoryNftables());
            await using var backend = Userspace(nftables, family);
            await FeedInPortionsAsync(name, backend);
            await using var other = Userspace(scratch, family);
            await FeedAtOnceAsync(name, other);
            Assert.Equal(TableContent.Comparable(scratch, RuleParts.TableOf(family)), TableContent.Comparable(nftables, RuleParts.TableOf(family)));
            Assert.Equal(0, (await backend.SyncAsync(new PlanChanges { Verify = true }, TestContext.Current.CancellationToken)).Operations);
        }
    }

    private static NftablesBackend Nftables(InMemoryNftables nftables, IpFamily family) => new(
        new NftablesBackendOptions { Family = family, Masquerade = RandomCases.Masquerade(family) },
        new NftablesBackendParts { Nftables = nftables, Routes = new InMemoryRoute(), Conntrack = new InMemoryConntrack() },
        NullLogger<NftablesBackend>.Instance);

    private static UserspaceBackend Userspace(InMemoryNftables nftables, IpFamily family)
    {
        var options = new RelayOptions { Family = family, Transparent = false, Threads = 1 };
        var table = new RelayTable(TimeProvider.System, options.MaxAffinityClients);
        var relay = new RelayServer(new RelayContext(options, table, new RelayMetrics(null, family), TimeProvider.System, NullLogger.Instance));
        relay.Start();
        return new UserspaceBackend(
            new UserspaceBackendOptions { Family = family, Masquerade = RandomCases.Masquerade(family) },
            new UserspaceBackendParts(table, relay) { Nftables = nftables, Routes = new InMemoryRoute(), Conntrack = new InMemoryConntrack(), Kernel = new KernelSettings("/nonexistent") },
            NullLogger<UserspaceBackend>.Instance);
    }

    private static async Task FeedInPortionsAsync(string name, IProxyBackend backend)
    {
        var fed = await Fed.Async(backend, RandomCases.Options, RandomCases.Shuffled(name));
        Assert.All(fed.Results, result => Assert.Empty(result.Quarantined));
        // The periodic check also removes chains for lists longer than any that is left.
        await backend.SyncAsync(new PlanChanges { Verify = true }, TestContext.Current.CancellationToken);
    }

    private static async Task<IReadOnlyList<SyncResult>> FeedAtOnceAsync(string name, IProxyBackend backend)
    {
        var fed = await Fed.Async(backend, RandomCases.Options, [RandomCases.Objects(name)]);
        Assert.All(fed.Results, result => Assert.Empty(result.Quarantined));
        return fed.Results;
    }
}
