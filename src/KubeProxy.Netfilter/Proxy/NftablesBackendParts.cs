using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy.Nftables;
using KubeProxy.Netfilter.Route;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>What a backend reaches the kernel with. Tests put in-memory ones in.</summary>
public sealed class NftablesBackendParts : IAsyncDisposable
{
    /// <summary>The nf_tables client. Not disposed with the backend: families share it.</summary>
    public required INftables Nftables { get; init; }

    /// <summary>Tells of foreign changes.</summary>
    internal IForeignChanges ForeignChanges { get; init; } = new NoForeignChanges();

    /// <summary>Where the node's own addresses are read.</summary>
    public required IRouteClient Routes { get; init; }

    /// <summary>Connection tracking, of which stale UDP entries are deleted.</summary>
    public required IConntrack Conntrack { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Opens the sockets for one family in the network namespace of the calling thread.</summary>
    /// <param name="connection">Shared by all families; must outlive the backends.</param>
    /// <param name="family">The family.</param>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel has no nfnetlink or no rtnetlink.</exception>
    public static NftablesBackendParts Open(NftablesConnection connection, IpFamily family)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new NftablesBackendParts
        {
            Nftables = connection.Client,
            ForeignChanges = connection.Watch(RuleParts.TableOf(family)),
            Conntrack = ConntrackClient.Open(),
            Routes = RouteClient.Open(),
        };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ForeignChanges.DisposeAsync();
        Routes.Dispose();
        Conntrack.Dispose();
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

        public Task ResumeAsync(uint? generation) => Task.CompletedTask;

        public uint? UntouchedGeneration => null;

        public ValueTask DisposeAsync() => default;
    }
}
