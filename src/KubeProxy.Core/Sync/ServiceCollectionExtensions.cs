using System.Diagnostics.Metrics;
using KubeProxy.Core.Sources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Core.Sync;

/// <summary>Registers the engine in a container.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="ProxyEngine"/>, also as <see cref="IProxySink"/>, over all registered <see cref="IProxyBackend"/>s.
    /// </summary>
    public static IServiceCollection AddKubeProxyCore(this IServiceCollection services, ProxyOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new ProxyEngine(
            options,
            provider.GetServices<IProxyBackend>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetService<ILogger<ProxyEngine>>(),
            provider.GetService<IMeterFactory>()));
        services.TryAddSingleton<IProxySink>(provider => provider.GetRequiredService<ProxyEngine>());
        return services;
    }
}
