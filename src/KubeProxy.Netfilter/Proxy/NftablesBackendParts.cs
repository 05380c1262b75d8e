using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy.Nftables;
using KubeProxy.Netfilter.Route;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>What a backend reaches the kernel with. Tests put in-memory ones in.</summary>
public sealed class NftablesBackendParts : IAsyncDisposable
{
    /// <summary>The nf_tables client.</summary>
    public required INftables Nftables { get; init; }

    /// <summary>Tells of foreign changes.</summary>
    internal IForeignChanges ForeignChanges { get; init; } = new NoForeignChanges();

    /// <summary>Where the node's own addresses are read.</summary>
    public required IRouteClient Routes { get; init; }

    /// <summary>Connection tracking, of which stale UDP entries are deleted.</summary>
    public required IConntrack Conntrack { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Opens everything in the network namespace of the calling thread.</summary>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel has no nfnetlink or no rtnetlink.</exception>
    public static NftablesBackendParts Open() => new()
    {
        Nftables = NftablesClient.Open(),
        Conntrack = ConntrackClient.Open(),
        Routes = RouteClient.Open(),
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ForeignChanges.DisposeAsync();
        Routes.Dispose();
        Conntrack.Dispose();
        await Nftables.DisposeAsync();
    }

    /// <summary>Nobody else is there, as with an in-memory ruleset.</summary>
    private sealed class NoForeignChanges : IForeignChanges
    {
        public void Start(Action<string> touched)
        {
        }

        public bool TakeTouched() => false;

        public ValueTask<bool> SeenUntouchedAsync(uint generation, CancellationToken cancellationToken) => new(false);

        public void Pause()
        {
        }

        public void Resume()
        {
        }

        public ValueTask DisposeAsync() => default;
    }
}
