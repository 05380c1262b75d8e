using System.Diagnostics.Metrics;
using KubeProxy.Core.Composition;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Userspace;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Netfilter.Backends;

/// <summary>
/// Adds the backends of this package to a proxy. They open their sockets, in the network namespace of the thread, when they are made: with the
/// engine. Loggers and meters come from the container if it has any.
/// </summary>
public static class KubeProxyBuilderExtensions
{
    /// <summary>Adds the backend of mode nftables.</summary>
    /// <param name="builder">The proxy.</param>
    /// <param name="options">Makes the options of a family; the defaults when null.</param>
    public static KubeProxyBuilder AddNftablesBackend(this KubeProxyBuilder builder, Func<IpFamily, NftablesBackendOptions>? options = null) =>
        builder.WithConnection().AddBackend((provider, family) => CreateNftables(provider, options?.Invoke(family) ?? new() { Family = family }));

    /// <summary>Adds the backend of mode iptables.</summary>
    /// <inheritdoc cref="AddNftablesBackend"/>
    public static KubeProxyBuilder AddIptablesBackend(this KubeProxyBuilder builder, Func<IpFamily, IptablesBackendOptions>? options = null) =>
        builder.WithConnection().AddBackend((provider, family) => CreateIptables(provider, options?.Invoke(family) ?? new() { Family = family }));

    /// <summary>Adds the backend of mode userspace.</summary>
    /// <param name="builder">The proxy.</param>
    /// <param name="options">Makes the options of a family; the defaults when null.</param>
    /// <param name="relay">Makes those of its relay; what this process can have when null.</param>
    public static KubeProxyBuilder AddUserspaceBackend(
        this KubeProxyBuilder builder, Func<IpFamily, UserspaceBackendOptions>? options = null, Func<IpFamily, RelayOptions>? relay = null) =>
        builder.WithConnection().AddBackend((provider, family) => CreateUserspace(
            provider, options?.Invoke(family) ?? new() { Family = family }, relay?.Invoke(family) ?? RelayOptions.ForThisProcess(family)));

    /// <summary>Makes a backend of mode nftables from what the container has.</summary>
    public static NftablesBackend CreateNftables(IServiceProvider provider, NftablesBackendOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var (connection, loggers, meters, time) = Surroundings(provider);
        return new NftablesBackend(
            options,
            options.LocalhostNodePorts
                ? NftablesBackendParts.OpenWithLocalhost(connection, options.Family, loggers, meters, time)
                : NftablesBackendParts.Open(connection, options.Family),
            loggers.CreateLogger<NftablesBackend>());
    }

    /// <summary>Makes a backend of mode iptables from what the container has.</summary>
    public static IptablesBackend CreateIptables(IServiceProvider provider, IptablesBackendOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var (connection, loggers, meters, _) = Surroundings(provider);
        return new IptablesBackend(options, IptablesBackendParts.Open(connection, options.Family, meters: meters), loggers.CreateLogger<IptablesBackend>());
    }

    /// <summary>Makes a backend of mode userspace from what the container has.</summary>
    public static UserspaceBackend CreateUserspace(IServiceProvider provider, UserspaceBackendOptions options, RelayOptions relay)
    {
        ArgumentNullException.ThrowIfNull(options);
        var (connection, loggers, meters, time) = Surroundings(provider);
        return new UserspaceBackend(options, UserspaceBackendParts.Open(connection, relay, loggers, meters, time), loggers.CreateLogger<UserspaceBackend>());
    }

    /// <summary>Registers the connection that the backends of all families share (<see cref="SharedConnection"/>), if it is not yet.</summary>
    public static KubeProxyBuilder WithConnection(this KubeProxyBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton<SharedConnection>();
        return builder;
    }

    private static (NftablesConnection Connection, ILoggerFactory Loggers, IMeterFactory? Meters, TimeProvider Time) Surroundings(IServiceProvider provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
        return (provider.GetRequiredService<SharedConnection>().Value, provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance,
            provider.GetService<IMeterFactory>(), provider.GetRequiredService<TimeProvider>());
    }
}
