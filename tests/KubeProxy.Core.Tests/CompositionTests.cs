using KubeProxy.Core.Composition;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using static KubeProxy.Core.Tests.Objects;

namespace KubeProxy.Core.Tests;

public class CompositionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_proxy_comes_out_of_a_container_and_runs()
    {
        var source = new InMemoryProxySource();
        source.Set(Service("web", "10.96.0.1"));
        var services = new ServiceCollection();
        services.AddKubeProxy(Objects.Options).AddBackend((_, family) => new RecordingBackend(family)).AddSource(_ => source);
        await using var provider = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
        var engine = provider.GetRequiredService<ProxyEngine>();
        Assert.Same(engine, provider.GetRequiredService<IProxySink>());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = provider.GetRequiredService<ProxyRunner>().RunAsync(stop.Token);
        var backend = (RecordingBackend)provider.GetRequiredService<ProxyBackendSet>().All[0];
        Assert.Equal(IpFamily.IPv4, backend.Family);
        Assert.Single((await backend.NextAsync()).Updated);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Families_can_be_chosen()
    {
        var services = new ServiceCollection();
        services.AddKubeProxy(Objects.Options, IpFamily.IPv6).AddBackend((_, family) => new RecordingBackend(family));
        await using var provider = services.BuildServiceProvider();
        Assert.Equal(IpFamily.IPv6, Assert.Single(provider.GetRequiredService<ProxyEngine>().GetStatus().Families).Family);
    }

    [Fact]
    public async Task Options_are_checked_and_the_user_may_check_more()
    {
        var services = new ServiceCollection();
        services.AddKubeProxy(Objects.Options with { SyncPeriod = TimeSpan.Zero }).AddBackend((_, family) => new RecordingBackend(family));
        services.AddSingleton<IValidateOptions<ProxyOptions>>(new ValidateOptions<ProxyOptions>(null, options => options.NodeName != Node1, "not this node"));
        await using var provider = services.BuildServiceProvider();
        var refused = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<ProxyEngine>());
        Assert.Equal(["SyncPeriod is not greater than 0.", "not this node"], refused.Failures);
    }

    [Fact]
    public async Task A_proxy_has_one_backend()
    {
        var services = new ServiceCollection();
        var builder = services.AddKubeProxy(Objects.Options);
        await using (var provider = services.BuildServiceProvider())
            Assert.Contains("No backend", Assert.Throws<InvalidOperationException>(() => provider.GetRequiredService<ProxyEngine>()).Message, StringComparison.Ordinal);
        builder.AddBackend((_, family) => new RecordingBackend(family));
        Assert.Throws<InvalidOperationException>(() => builder.AddBackend((_, family) => new RecordingBackend(family)));
    }
}
