using System.Diagnostics.Metrics;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KubeProxy.Core.Composition;

/// <summary>Registers a service proxy in a container.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>
    /// Adds a proxy: <see cref="ProxyEngine"/> (also as <see cref="IProxySink"/>) and <see cref="ProxyRunner"/>. A backend and a source are chosen
    /// with what this returns.
    /// </summary>
    /// <param name="services">Gets them.</param>
    /// <param name="options">The node. Checked when the engine is made.</param>
    /// <param name="families">Which families are programmed; both by default.</param>
    /// <returns>For <c>AddNftablesBackend</c> and its like.</returns>
    /// <exception cref="ArgumentException">There is no family.</exception>
    public static KubeProxyBuilder AddKubeProxy(this IServiceCollection services, ProxyOptions options, params IReadOnlyList<IpFamily> families)
    {
        ArgumentNullException.ThrowIfNull(options);
        return services.AddKubeProxy(_ => options, families);
    }

    /// <inheritdoc cref="AddKubeProxy(IServiceCollection, ProxyOptions, IReadOnlyList{IpFamily})"/>
    public static KubeProxyBuilder AddKubeProxy(this IServiceCollection services, Func<IServiceProvider, ProxyOptions> options, params IReadOnlyList<IpFamily> families)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(families);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ProxyOptions>, ProxyOptionsValidator>());
        services.TryAddSingleton(provider => Options.Create(Validated(options(provider), provider)));
        services.TryAddSingleton(provider => new ProxyBackendSet(provider, families.Count > 0 ? families : [IpFamily.IPv4, IpFamily.IPv6]));
        services.TryAddSingleton(provider => new ProxyEngine(
            provider.GetRequiredService<IOptions<ProxyOptions>>().Value,
            provider.GetRequiredService<ProxyBackendSet>().All,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetService<ILogger<ProxyEngine>>(),
            provider.GetService<IMeterFactory>()));
        services.TryAddSingleton<IProxySink>(provider => provider.GetRequiredService<ProxyEngine>());
        services.TryAddSingleton<ProxyRunner>();
        return new KubeProxyBuilder(services);
    }

    private static ProxyOptions Validated(ProxyOptions options, IServiceProvider provider)
    {
        var failures = provider.GetServices<IValidateOptions<ProxyOptions>>().Select(validator => validator.Validate(null, options))
            .Where(result => result.Failed).SelectMany(result => result.Failures ?? []).ToList();
        return failures.Count == 0 ? options : throw new OptionsValidationException(nameof(ProxyOptions), typeof(ProxyOptions), failures);
    }
}
