using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy.Nftables;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>The node's own addresses, kept up to date.</summary>
public interface INodeAddresses : IAsyncDisposable
{
    /// <summary>Begins to watch; <paramref name="changed"/> is called from any thread.</summary>
    void Start(Action changed);

    /// <summary>The addresses of all interfaces.</summary>
    IReadOnlyCollection<IpAddr> Current { get; }
}

/// <summary>Deletes conntrack entries that keep UDP clients on endpoints that are gone.</summary>
public interface IStaleFlows : IAsyncDisposable
{
    /// <summary>Deletes what became stale with a change; called when the rules are in the kernel.</summary>
    /// <param name="before">The plans of UDP service ports as they were.</param>
    /// <param name="after">The plans as they are, of all protocols; a service port that is gone is not among them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The number of entries deleted.</returns>
    Task<int> CleanAsync(
        IReadOnlyCollection<ServicePortPlan> before, IReadOnlyCollection<ServicePortPlan> after, CancellationToken cancellationToken);
}

/// <summary>What a backend reaches the kernel with. Tests put in-memory ones in.</summary>
public sealed class NftablesBackendParts : IAsyncDisposable
{
    /// <summary>The nf_tables client.</summary>
    public required INftables Nftables { get; init; }

    /// <summary>Tells of foreign changes.</summary>
    internal IForeignChanges ForeignChanges { get; init; } = new NoForeignChanges();

    /// <summary>The node's addresses.</summary>
    public required INodeAddresses Addresses { get; init; }

    /// <summary>Stale flows.</summary>
    public required IStaleFlows Flows { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ForeignChanges.DisposeAsync();
        await Addresses.DisposeAsync();
        await Flows.DisposeAsync();
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
