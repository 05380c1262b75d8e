using KubeProxy.Netfilter.Backends.Ruleset;

namespace KubeProxy.Netfilter.Backends;

/// <summary>
/// The connection that the backends of all families share, opened when first asked for. The container makes this before them, and so disposes it
/// after them, however late it is opened.
/// </summary>
public sealed class SharedConnection : IAsyncDisposable
{
    private readonly Lazy<NftablesConnection> _connection = new(NftablesConnection.Open);

    /// <summary>The connection.</summary>
    /// <exception cref="Core.Sync.ProxyBackendException">The kernel has no nf_tables, or CAP_NET_ADMIN is missing.</exception>
    public NftablesConnection Value => _connection.Value;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.IsValueCreated ? _connection.Value.DisposeAsync() : ValueTask.CompletedTask;
}
