using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Conntrack.Testing;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>A backend over a ruleset in memory.</summary>
internal sealed class BackendHarness : IAsyncDisposable
{
    private BackendHarness(InMemoryNftables nftables, NftablesBackend backend) => (Nftables, Backend) = (nftables, backend);

    public InMemoryNftables Nftables { get; }

    public NftablesBackend Backend { get; }

    public static MasqueradePolicy Policy { get; } = Plans.Policy(IpFamily.IPv4);

    public static async Task<BackendHarness> StartAsync(InMemoryNftables? nftables = null, NftablesBackendOptions? options = null, InMemoryRoute? routes = null, IConntrack? conntrack = null, Action<string>? requestSync = null,
        Func<INftables, INftables>? seen = null)
    {
        nftables ??= new InMemoryNftables();
        var backend = new NftablesBackend(
            options ?? new NftablesBackendOptions { Family = IpFamily.IPv4, Masquerade = Policy },
            new NftablesBackendParts
            {
                Nftables = seen?.Invoke(nftables) ?? nftables, Beside = nftables, Routes = routes ?? new InMemoryRoute(), Conntrack = conntrack ?? new InMemoryConntrack(),
            },
            NullLogger<NftablesBackend>.Instance);
        await backend.StartAsync(requestSync ?? (_ => { }), CancellationToken.None);
        return new BackendHarness(nftables, backend);
    }

    public Task<SyncResult> FirstSyncAsync(params IReadOnlyList<ServicePortPlan> plans) =>
        Backend.SyncAsync(new PlanChanges { Node = Plans.Node(), Updated = plans }, CancellationToken.None);

    public Task<SyncResult> SyncAsync(params IReadOnlyList<ServicePortPlan> plans) =>
        Backend.SyncAsync(new PlanChanges { Updated = plans }, CancellationToken.None);

    public ValueTask DisposeAsync() => Backend.DisposeAsync();
}
