using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using Microsoft.Extensions.DependencyInjection;

namespace KubeProxy.Core.Composition;

/// <summary>The backends of all families, made when first asked for and disposed with the container: after whatever uses them.</summary>
public sealed class ProxyBackendSet : IAsyncDisposable
{
    internal ProxyBackendSet(IServiceProvider provider, IReadOnlyList<IpFamily> families)
    {
        var factory = provider.GetService<ProxyBackendFactory>()
            ?? throw new InvalidOperationException($"No backend was added; see {nameof(KubeProxyBuilder)}.");
        All = [.. families.Select(family => factory.Make(provider, family))];
    }

    /// <summary>One for each family.</summary>
    public IReadOnlyList<IProxyBackend> All { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var backend in All) await backend.DisposeAsync();
    }
}
