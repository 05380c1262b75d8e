using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Tests.Cases;

namespace KubeProxy.Ipvs.Tests.Backend;

/// <summary>Random objects of a cluster: nothing is refused, and neither their order nor a restart makes a difference.</summary>
public sealed class IpvsRandomCaseTests
{
    // Files are slow to come and go; these tests run one after the other.
    private static readonly DirectoryInfo Root = new IpvsHarness.Kernel().Root;

    public static TheoryData<string> Names() => RandomCases.Names();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Any_order_ends_the_same(string name)
    {
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            var harness = await StartAsync(await NewKernelAsync(), family);
            await FeedAsync(harness, [.. RandomCases.Shuffled(name)]);
            // The periodic check also removes chains for lists longer than any that is left.
            await harness.VerifyAsync();
            await using var scratch = await StartAsync(await NewKernelAsync(), family);
            await FeedAsync(scratch, [RandomCases.Objects(name)]);
            Assert.Equal(await scratch.ListAsync(), await harness.ListAsync());
            Assert.Equal(await scratch.BoundAsync(), await harness.BoundAsync());
            Assert.Equal(IpvsHistoryTests.Rules(scratch), IpvsHistoryTests.Rules(harness));

            await harness.DisposeAsync();
            await using var restarted = await StartAsync(harness.Memory, family);
            Assert.Equal(0, await FeedAsync(restarted, [RandomCases.Objects(name)]));
        }
    }

    private static async Task<IpvsHarness.Kernel> NewKernelAsync()
    {
        var kernel = new IpvsHarness.Kernel(Root);
        await kernel.PrepareAsync();
        return kernel;
    }

    private static Task<IpvsHarness> StartAsync(IpvsHarness.Kernel kernel, IpFamily family) =>
        IpvsHarness.StartAsync(kernel, family: family, masquerade: RandomCases.Masquerade(family));

    private static async Task<int> FeedAsync(IpvsHarness harness, IReadOnlyList<IReadOnlyList<Core.Kubernetes.KubernetesObject>> portions)
    {
        var fed = await Fed.Async(new Started(harness.Backend), RandomCases.Options, portions);
        Assert.All(fed.Results, result => Assert.Empty(result.Quarantined));
        return fed.Results.Sum(result => result.Operations);
    }

    /// <summary>The harness started it already.</summary>
    private sealed class Started(IProxyBackend backend) : IProxyBackend
    {
        public IpFamily Family => backend.Family;

        public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken) => backend.SyncAsync(changes, cancellationToken);

        public ValueTask DisposeAsync() => backend.DisposeAsync();
    }
}
