using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using Microsoft.Extensions.DependencyInjection;

namespace KubeProxy.Core.Composition;

/// <summary>
/// Chooses what a proxy consists of. Packages extend it: <c>AddNftablesBackend</c>, <c>AddIptablesBackend</c> and <c>AddUserspaceBackend</c> of
/// KubeProxy.Netfilter, <c>AddIpvsBackend</c> of KubeProxy.Ipvs, <c>AddApiServerSource</c> of KubeProxy.Kubernetes.
/// </summary>
public sealed class KubeProxyBuilder
{
    internal KubeProxyBuilder(IServiceCollection services) => Services = services;

    /// <summary>Where everything is registered.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Adds the one backend.</summary>
    /// <param name="make">Makes it for a family. It is disposed with the container.</param>
    /// <exception cref="InvalidOperationException">There is one already.</exception>
    public KubeProxyBuilder AddBackend(Func<IServiceProvider, IpFamily, IProxyBackend> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        if (Services.Any(service => service.ServiceType == typeof(ProxyBackendFactory)))
            throw new InvalidOperationException("There is a backend already; a proxy has one, whose mode is that of all families.");
        Services.AddSingleton(new ProxyBackendFactory(make));
        return this;
    }

    /// <summary>Adds a source of objects; there may be several.</summary>
    /// <param name="make">Makes it.</param>
    public KubeProxyBuilder AddSource(Func<IServiceProvider, IProxySource> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        Services.AddSingleton(make);
        return this;
    }
}

/// <summary>Makes the backend of a family.</summary>
internal sealed record ProxyBackendFactory(Func<IServiceProvider, IpFamily, IProxyBackend> Make);
