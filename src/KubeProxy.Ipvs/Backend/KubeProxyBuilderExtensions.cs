using KubeProxy.Core.Composition;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends;
using KubeProxy.Netfilter.Backends.Balanced;
using KubeProxy.Netfilter.Backends.Nftables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Ipvs.Backend;

/// <summary>Adds the backend of mode ipvs to a proxy.</summary>
public static class KubeProxyBuilderExtensions
{
    private const string Mode = "ipvs";

    /// <summary>Adds it. It opens its sockets, in the network namespace of the thread, when it is made: with the engine.</summary>
    /// <param name="builder">The proxy.</param>
    /// <param name="options">Makes the options of a family; the defaults when null.</param>
    /// <param name="masquerade">Which traffic of a family is masqueraded; the defaults when null.</param>
    public static KubeProxyBuilder AddIpvsBackend(
        this KubeProxyBuilder builder, Func<IpFamily, IpvsBalancerOptions>? options = null, Func<IpFamily, MasqueradePolicy>? masquerade = null) =>
        builder.WithConnection().AddBackend((provider, family) => CreateIpvs(
            provider, options?.Invoke(family) ?? new() { Family = family }, masquerade?.Invoke(family) ?? new()));

    /// <summary>Makes a backend of mode ipvs from what the container has.</summary>
    public static BalancedBackend CreateIpvs(IServiceProvider provider, IpvsBalancerOptions options, MasqueradePolicy masquerade)
    {
        ArgumentNullException.ThrowIfNull(provider);
        ArgumentNullException.ThrowIfNull(options);
        var loggers = provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        return new BalancedBackend(
            new BalancedBackendOptions { Mode = Mode, Family = options.Family, Masquerade = masquerade },
            NftablesBackendParts.Open(provider.GetRequiredService<SharedConnection>().Value, options.Family),
            new IpvsBalancer(options, IpvsBalancerParts.Open(), loggers.CreateLogger<IpvsBalancer>()),
            loggers.CreateLogger<BalancedBackend>());
    }
}
