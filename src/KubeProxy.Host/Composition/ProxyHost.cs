using System.Diagnostics.Metrics;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Http;
using KubeProxy.Host.Logging;
using KubeProxy.Host.Node;
using KubeProxy.Host.Sources;
using KubeProxy.Netfilter.Proxy;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>Puts the running proxy together.</summary>
/// <param name="arguments">The command line.</param>
/// <param name="configuration">The configuration at the start.</param>
/// <param name="verbosity">How much is logged.</param>
/// <param name="sources">Where objects come from.</param>
/// <param name="podCidrs">The node's pod blocks, for detectLocalMode NodeCIDR; else empty.</param>
/// <param name="parts">What comes from outside.</param>
internal sealed class ProxyHost(
    ProxyArguments arguments, EffectiveConfiguration configuration, VerbositySwitch verbosity, ProxySources sources, IReadOnlyList<string> podCidrs, ProxyParts parts)
{
    private readonly NodeSettings _node = new(configuration);

    /// <summary>Makes the host; nothing runs yet.</summary>
    /// <param name="loggerProvider">Where logs go.</param>
    /// <exception cref="ProxyBackendException">There is no backend for what is configured.</exception>
    public IHost Build(ILoggerProvider loggerProvider)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        var services = builder.Services;
        services.AddProxyLogging(loggerProvider);
        services.AddMetrics();
        services.Configure<ConsoleLifetimeOptions>(options => options.SuppressStatusMessages = true);
        services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(5));
        services.AddSingleton(parts.Time);
        services.AddSingleton<ProcessExit>();
        services.AddSingleton(new CurrentConfiguration(configuration));
        AddProxy(services);
        AddServers(services);
        return builder.Build();
    }

    private void AddProxy(IServiceCollection services)
    {
        services.AddSingleton(provider => sources.Create(provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<IMeterFactory>()));
        services.AddSingleton(_ => NftablesConnection.Open());
        services.AddSingleton(CreateEngine);
        services.AddSingleton<IProxySink>(CreateSink);
        services.AddHostedService<ProxyService>();
    }

    private ProxyEngine CreateEngine(IServiceProvider provider)
    {
        var loggers = provider.GetRequiredService<ILoggerFactory>();
        var meters = provider.GetRequiredService<IMeterFactory>();
        var families = NodeSettings.Families(parts.HasIpv6(), _node.BindAddress);
        var backends = families.Select(family => parts.CreateBackend(
            new BackendContext(
                configuration, family, _node.Masquerade(family, podCidrs), loggers, meters, parts.Time, provider.GetRequiredService<NftablesConnection>))).ToList();
        return new ProxyEngine(_node.ToOptions(), backends, parts.Time, loggers.CreateLogger<ProxyEngine>(), meters);
    }

    private NodeSink CreateSink(IServiceProvider provider)
    {
        var exit = provider.GetRequiredService<ProcessExit>();
        Action<IReadOnlyList<string>>? changed = configuration.Source.DetectLocalMode == DetectLocalMode.NodeCidr ? _ => exit.Fail() : null;
        return new NodeSink(provider.GetRequiredService<ProxyEngine>(), _node.NodeName, parts.InterfaceAddresses, changed);
    }

    private void AddServers(IServiceCollection services)
    {
        services.AddSingleton(provider => new ProxyServers(
            provider.GetRequiredService<ProxyEngine>(), provider.GetRequiredService<CurrentConfiguration>(), arguments, verbosity, parts.Time));
        if (HostPort.TryParse(configuration.Source.HealthzBindAddress, out var healthz))
            services.AddSingleton<IHostedService>(provider => Listener(provider, "healthz", healthz, servers => servers.CreateHealthHandler()));
        if (HostPort.TryParse(configuration.Source.MetricsBindAddress, out var metrics))
            services.AddSingleton<IHostedService>(provider => Listener(provider, "metrics", metrics, servers => servers.CreateMetricsHandler()));
        services.AddSingleton<IHostedService>(CreateServiceHealth);
    }

    private RetriedListener Listener(IServiceProvider provider, string name, HostPort address, Func<ProxyServers, HttpHandler> handler)
    {
        var exit = provider.GetRequiredService<ProcessExit>();
        Action<Exception>? hardFail = configuration.Source.BindAddressHardFail ? _ => exit.Fail() : null;
        return new RetriedListener(
            name, ListenAddress.From(address), handler(provider.GetRequiredService<ProxyServers>()), hardFail, provider.GetRequiredService<ILoggerFactory>(), parts.Time);
    }

    private ServiceHealthServer CreateServiceHealth(IServiceProvider provider)
    {
        var engine = provider.GetRequiredService<ProxyEngine>();
        var addresses = new Lazy<IReadOnlyList<Core.Model.IpAddr>>(parts.InterfaceAddresses);
        return new ServiceHealthServer(
            engine.ServiceHealth,
            family => HealthCheckAddresses.Of(family, _node.HealthCheckBlocks(family, addresses.Value), addresses.Value),
            engine.Health, provider.GetRequiredService<ILoggerFactory>(), parts.Time);
    }
}
