using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Rtnetlink;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>What the backends that write nf_tables reach the kernel with. Tests put in-memory ones in.</summary>
public abstract class NetfilterParts : IAsyncDisposable
{
    /// <summary>The nf_tables client. Not disposed with the backend: families share it.</summary>
    public required INftables Nftables { get; init; }

    /// <summary>Tells of foreign changes.</summary>
    internal IForeignChanges ForeignChanges { get; init; } = new NoForeignChanges();

    /// <summary>Where the node's own addresses are read.</summary>
    public required IRouteClient Routes { get; init; }

    /// <summary>Connection tracking, of which stale entries are deleted.</summary>
    public required IConntrack Conntrack { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <inheritdoc/>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await ForeignChanges.DisposeAsync();
        Routes.Dispose();
        Conntrack.Dispose();
    }
}
