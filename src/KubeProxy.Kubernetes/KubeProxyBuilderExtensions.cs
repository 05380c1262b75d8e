using System.Diagnostics.Metrics;
using KubeProxy.Core.Composition;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Kubernetes;

/// <summary>Adds an API server as the source of a proxy.</summary>
public static class KubeProxyBuilderExtensions
{
    /// <summary>Adds it. It connects when it runs.</summary>
    /// <param name="builder">The proxy.</param>
    /// <param name="access">Where the server is, and who asks; see <see cref="Access.Kubeconfig"/> and <see cref="Access.InCluster"/>.</param>
    /// <param name="options">For which node.</param>
    /// <param name="client">How it is asked; the defaults when null.</param>
    public static KubeProxyBuilder AddApiServerSource(
        this KubeProxyBuilder builder, Func<IServiceProvider, ApiServerAccess> access, ApiServerSourceOptions options, ApiClientOptions? client = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(options);
        builder.Services.AddSingleton(provider => new ApiClient(
            access(provider), client ?? new ApiClientOptions(), provider.GetRequiredService<TimeProvider>(),
            provider.GetService<ILogger<ApiClient>>(), provider.GetService<IMeterFactory>()));
        return builder.AddSource(provider => new ApiServerSource(
            provider.GetRequiredService<ApiClient>(), options, provider.GetService<ILogger<ApiServerSource>>()));
    }
}
