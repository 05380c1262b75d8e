using System.Diagnostics.Metrics;
using KubeProxy.Core.Composition;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Events;
using KubeProxy.Host.Http;
using KubeProxy.Host.Logging;
using KubeProxy.Host.Node;
using KubeProxy.Host.Sources;
using KubeProxy.Kubernetes;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>Puts the running proxy together.</summary>
/// <param name="arguments">The command line.</param>
/// <param name="configuration">The configuration at the start.</param>
/// <param name="verbosity">How much is logged.</param>
/// <param name="sources">Where objects come from.</param>
/// <param name="parts">What comes from outside.</param>
internal sealed class ProxyHost(
    ProxyArguments arguments, EffectiveConfiguration configuration, VerbositySwitch verbosity, ProxySources sources, ProxyParts parts)
{
    // How long the process stays to tell why it ends.
    private static readonly TimeSpan LastEventTime = TimeSpan.FromSeconds(2);

    private readonly NodeSettings _node = new(configuration);

    private bool NeedsPodCidrs => configuration.Source.DetectLocalMode == DetectLocalMode.NodeCidr;

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
        services.AddSingleton(verbosity);
        services.AddSingleton(parts);
        services.AddSingleton(arguments);
        AddProxy(services);
        AddServers(services);
        return builder.Build();
    }

    private void AddProxy(IServiceCollection services)
    {
        services.AddSingleton(provider => sources.Create(provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<IMeterFactory>()));
        if (NeedsPodCidrs) AddPodCidrWait(services);
        services.AddKubeProxy(_ => _node.ToOptions(), NodeSettings.Families(parts.HasIpv6(), _node.BindAddress))
            .WithConnection().AddBackend(CreateBackend).AddSource(provider => provider.GetRequiredService<ConnectedSource>().Source);
        services.AddSingleton(CreateEvents);
        services.AddSingleton(CreateNodeWatch);
        services.AddSingleton<IProxySink>(provider => new NodeSink(
            new TidySink(provider.GetRequiredService<ProxyEngine>()), _node.NodeName, parts.InterfaceAddresses, provider.GetRequiredService<NodeWatch>()));
        services.AddSingleton(provider => new ServiceReadiness(parts.NotifySocket, provider.GetRequiredService<ILogger<ServiceReadiness>>()));
        services.AddSingleton(CreateRivalWatch);
        services.AddSingleton(provider => new Readiness(
            provider.GetRequiredService<ProxyEngine>(), provider.GetRequiredService<RivalWatch>(), () => provider.GetService<PodCidrWait>()?.Reason,
            provider.GetRequiredService<ServiceReadiness>(), parts.Time, provider.GetRequiredService<ILogger<Readiness>>(),
            provider.GetRequiredService<ConnectedSource>().Source as ApiServerSource));
        services.AddHostedService(provider => provider.GetRequiredService<Readiness>());
        services.AddSingleton<Leftovers>();
        services.AddSingleton<FirstSync>();
        services.AddHostedService(_ => IdleMemory.OfProcess(parts.Time));
        services.AddHostedService<ProxyService>();
        services.AddHostedService(provider => new StartAdvice(
            provider.GetRequiredService<CurrentConfiguration>(), provider.GetRequiredService<NodeWatch>(), _node,
            provider.GetRequiredService<ProxyEngine>().GetStatus().Families.Count > 1, () => provider.GetService<PodCidrWait>()?.Known ?? [], parts.Time,
            provider.GetRequiredService<EventRecorder>(), provider.GetRequiredService<ILogger<StartAdvice>>()));
        if (arguments.ConfigFile is not null) AddConfigurationWatch(services);
    }

    private void AddConfigurationWatch(IServiceCollection services)
    {
        services.AddSingleton(provider => new ConntrackSettings(new KernelSettings(parts.Root), provider.GetRequiredService<ILogger<ConntrackSettings>>()));
        services.AddSingleton(provider => new OomScore(provider.GetRequiredService<ILogger<OomScore>>(), OomScore.PathBelow(parts.Root)));
        services.AddSingleton<LiveSettings>();
        services.AddHostedService<ConfigurationWatch>();
    }

    private void AddPodCidrWait(IServiceCollection services)
    {
        services.AddSingleton(provider => new PodCidrWait(_node.NodeName, parts.Time, provider.GetRequiredService<ILogger<PodCidrWait>>()));
        services.AddHostedService(provider => provider.GetRequiredService<PodCidrWait>());
    }

    private IProxyBackend CreateBackend(IServiceProvider provider, IpFamily family)
    {
        // Made before the backends, which may ask for it late, and so disposed after them.
        _ = provider.GetRequiredService<SharedConnection>();
        return provider.GetService<PodCidrWait>() is { } wait
            ? new AwaitedBackend(family, async stop => Make(provider, family, await wait.GetAsync(stop)))
            : Make(provider, family, []);
    }

    private IProxyBackend Make(IServiceProvider provider, IpFamily family, IReadOnlyList<string> podCidrs)
    {
        RefuseFatal(podCidrs);
        return parts.CreateBackend(new BackendContext(configuration, family, _node.Masquerade(family, podCidrs), provider));
    }

    private RivalWatch CreateRivalWatch(IServiceProvider provider)
    {
        RivalWatch? watch = null;
        var backends = provider.GetRequiredService<ProxyBackendSet>();
        var connection = provider.GetRequiredService<SharedConnection>();
        var searches = parts.CreateRivalSearches(
            configuration.Mode, [.. backends.All.Select(backend => backend.Family)], () => connection.Value, () => watch?.Recheck());
        return watch = new RivalWatch([.. searches, provider.GetRequiredService<Leftovers>()], parts.Time, provider.GetRequiredService<ILogger<RivalWatch>>());
    }

    /// <summary>With one family, pods of the other are all that the configuration recognises.</summary>
    private void RefuseFatal(IReadOnlyList<string> podCidrs)
    {
        var families = NodeSettings.Families(parts.HasIpv6(), _node.BindAddress);
        if (families.Count > 1) return;
        var fatal = ConfigurationAdvice.OnFamilies(configuration, families[0], isDualStack: false, podCidrs).Where(advice => advice.IsFatal).ToList();
        if (fatal.Count > 0) throw new ProxyBackendException(string.Join("; ", fatal.Select(advice => advice.Message)) + ", and the kernel does no other family");
    }

    private EventRecorder CreateEvents(IServiceProvider provider) => new(
        provider.GetRequiredService<ConnectedSource>().Client, _node.NodeName, System.Net.Dns.GetHostName(), parts.Time,
        provider.GetRequiredService<ILogger<EventRecorder>>());

    private NodeWatch CreateNodeWatch(IServiceProvider provider)
    {
        var exit = provider.GetRequiredService<ProcessExit>();
        var watch = new NodeWatch(
            _node.NodeName, NeedsPodCidrs, provider.GetRequiredService<ILogger<NodeWatch>>());
        watch.PodCidrsChanged += exit.Fail;
        if (provider.GetService<PodCidrWait>() is { } wait) watch.Looked += wait.Look;
        watch.AddressesChanged += provider.GetRequiredService<ServiceHealthServer>().Recheck;
        return watch;
    }

    private void AddServers(IServiceCollection services)
    {
        services.AddSingleton(provider => new ProxyServers(
            provider.GetRequiredService<ProxyEngine>(), provider.GetRequiredService<Readiness>(), provider.GetRequiredService<CurrentConfiguration>(), arguments, verbosity,
            () => provider.GetService<PodCidrWait>()?.Reason, parts.Time));
        if (HostPort.TryParse(configuration.Source.HealthzBindAddress, out var healthz))
            services.AddSingleton<IHostedService>(provider => Listener(provider, "healthz", healthz, "FailedToStartProxierHealthcheck", servers => servers.CreateHealthHandler()));
        if (HostPort.TryParse(configuration.Source.MetricsBindAddress, out var metrics))
            services.AddSingleton<IHostedService>(provider => Listener(provider, "metrics", metrics, "FailedToStartMetricServer", servers => servers.CreateMetricsHandler()));
        if (arguments.FindSocket(parts.Socket) is { } socket) AddControlSocket(services, socket);
        services.AddSingleton(CreateServiceHealth);
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<ServiceHealthServer>());
        services.AddHostedService(provider => new AddressWatch(provider.GetRequiredService<ServiceHealthServer>().Recheck));
    }

    private void AddControlSocket(IServiceCollection services, string path)
    {
        services.AddSingleton(provider => new KernelComparison(
            provider.GetRequiredService<ProxyEngine>(), provider.GetRequiredService<ProxyBackendSet>(), configuration, _node,
            () => provider.GetService<PodCidrWait>()?.Known ?? [], parts.OpenKernel));
        services.AddSingleton<IHostedService>(provider => new ControlSocket(
            path, provider.GetRequiredService<ProxyServers>().CreateSocketHandler(
                provider.GetRequiredService<KernelComparison>(), family => _node.Masquerade(family, provider.GetService<PodCidrWait>()?.Known ?? [])),
            provider.GetRequiredService<ILoggerFactory>(), parts.Time));
    }

    private RetriedListener Listener(IServiceProvider provider, string name, HostPort address, string failureEvent, Func<ProxyServers, HttpHandler> handler)
    {
        var exit = provider.GetRequiredService<ProcessExit>();
        var events = provider.GetRequiredService<EventRecorder>();
        Func<Exception, Task>? hardFail = configuration.Source.BindAddressHardFail ? HardFailAsync : null;
        return new RetriedListener(
            name, ListenAddress.From(address), handler(provider.GetRequiredService<ProxyServers>()), hardFail, provider.GetRequiredService<ILoggerFactory>(), parts.Time);

        async Task HardFailAsync(Exception problem)
        {
            using var limit = new CancellationTokenSource(LastEventTime, parts.Time);
            await events.AboutNodeAsync("Warning", failureEvent, $"cannot serve {name} on {address}: {problem.Message}", limit.Token);
            exit.Fail();
        }
    }

    private ServiceHealthServer CreateServiceHealth(IServiceProvider provider)
    {
        var engine = provider.GetRequiredService<ProxyEngine>();
        var events = provider.GetRequiredService<EventRecorder>();
        return new ServiceHealthServer(
            engine.ServiceHealth,
            family => HealthCheckAddresses.Of(family, engine.GetNodePortBlocks(family), parts.InterfaceAddresses()),
            (service, note) => events.AboutServiceAsync(service, "Warning", "FailedToStartServiceHealthcheck", "Listen", note, CancellationToken.None),
            problems => engine.Report("health check node ports", problems), engine.Health, provider.GetRequiredService<ILoggerFactory>(), parts.Time);
    }
}
