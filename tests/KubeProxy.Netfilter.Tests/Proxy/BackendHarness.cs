using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Proxy;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Netfilter.Tests.Proxy;

/// <summary>A backend over a ruleset in memory.</summary>
internal sealed class BackendHarness : IAsyncDisposable
{
    private BackendHarness(InMemoryNftables nftables, NftablesBackend backend) => (Nftables, Backend) = (nftables, backend);

    public InMemoryNftables Nftables { get; }

    public NftablesBackend Backend { get; }

    public static MasqueradePolicy Policy { get; } = new() { LocalDetector = new LocalTrafficDetector.Source(Cidr.Parse("10.244.0.0/16")) };

    public static async Task<BackendHarness> StartAsync(InMemoryNftables? nftables = null, NftablesBackendOptions? options = null, INodeAddresses? addresses = null)
    {
        nftables ??= new InMemoryNftables();
        var backend = new NftablesBackend(
            options ?? new NftablesBackendOptions { Family = IpFamily.IPv4, Masquerade = Policy },
            new NftablesBackendParts { Nftables = nftables, Addresses = addresses ?? new NoAddresses(), Flows = new NoFlows() },
            NullLogger<NftablesBackend>.Instance);
        await backend.StartAsync(_ => { }, CancellationToken.None);
        return new BackendHarness(nftables, backend);
    }

    public Task<SyncResult> FirstSyncAsync(params IReadOnlyList<ServicePortPlan> plans) =>
        Backend.SyncAsync(new PlanChanges { Node = Plans.Node(), Updated = plans }, CancellationToken.None);

    public Task<SyncResult> SyncAsync(params IReadOnlyList<ServicePortPlan> plans) =>
        Backend.SyncAsync(new PlanChanges { Updated = plans }, CancellationToken.None);

    public ValueTask DisposeAsync() => Backend.DisposeAsync();

    public sealed class NoAddresses(params IReadOnlyCollection<IpAddr> addresses) : INodeAddresses
    {
        private Action _changed = () => { };

        public IReadOnlyCollection<IpAddr> Current { get; private set; } = addresses;

        public void Start(Action changed) => _changed = changed;

        public void Change(params IReadOnlyCollection<IpAddr> addresses)
        {
            Current = addresses;
            _changed();
        }

        public ValueTask DisposeAsync() => default;
    }

    private sealed class NoFlows : IStaleFlows
    {
        public Task<int> CleanAsync(
            IReadOnlyCollection<ServicePortPlan> before, IReadOnlyCollection<ServicePortPlan> after, CancellationToken cancellationToken) =>
            Task.FromResult(0);

        public ValueTask DisposeAsync() => default;
    }
}
