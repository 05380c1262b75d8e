using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Ruleset;

namespace KubeProxy.Host.Composition;

/// <summary>
/// The backends of all families and the connection that they share, disposed when the program ends: after the sync loop, the
/// connection last.
/// </summary>
/// <param name="backends">The backends.</param>
/// <param name="connection">The connection to the kernel, if anybody has asked for it.</param>
internal sealed class RunningBackends(IEnumerable<IProxyBackend> backends, Lazy<NftablesConnection> connection) : IAsyncDisposable
{
    public IReadOnlyList<IProxyBackend> All { get; } = [.. backends];

    /// <summary>The connection, opened when first asked for.</summary>
    public NftablesConnection Connection => connection.Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var backend in All) await backend.DisposeAsync();
        if (connection.IsValueCreated) await connection.Value.DisposeAsync();
    }
}
