using k8s;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Kubernetes.Client;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests.Client;

/// <summary>A server, a client of the official package, and a source made of that.</summary>
internal sealed class ClientHarness : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private IKubernetes? _kubernetes;
    private Task _running = Task.CompletedTask;

    private ClientHarness(FakeApiServer server) => Server = server;

    public FakeApiServer Server { get; }

    public RecordingSink Sink { get; } = new();

    public KubernetesClientSource Source { get; private set; } = null!;

    public static async Task<ClientHarness> MakeAsync(FakeApiServerOptions? options = null)
    {
        var harness = new ClientHarness(await FakeApiServer.StartAsync(options));
        harness.Server.Set("nodes", ApiObjects.Node("node1"));
        harness.Server.Set("servicecidrs", ApiObjects.ServiceCidr("kubernetes", "10.0.0.0/16"));
        harness.Server.Set("services", ApiObjects.Service("web"));
        harness.Server.Set("endpointslices", ApiObjects.Slice("web-1", "web", ["10.244.0.1", "10.244.0.2"]));
        return harness;
    }

    public IKubernetes MakeClient(KubernetesClientConfiguration? configuration = null, params DelegatingHandler[] handlers)
    {
        configuration ??= new KubernetesClientConfiguration();
        configuration.Host = Server.Url.ToString();
        return new k8s.Kubernetes(configuration, handlers);
    }

    public async Task StartAndSyncAsync(KubernetesClientConfiguration? configuration = null, params DelegatingHandler[] handlers)
    {
        _kubernetes = MakeClient(configuration, handlers);
        Source = _kubernetes.AsProxySource(ApiHarness.Fast, ApiHarness.FastClient);
        _running = Source.RunAsync(Sink, _stop.Token);
        await Sink.AllSyncedAsync();
    }

    public Task<FakeRequest> WatchAsync(string resource, int after = 0) =>
        Server.WaitForRequestAsync(request => request.Number > after && request.Resource == resource && request.IsWatch && !request.IsStream)
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

    /// <summary>Waits until the sink holds what the server holds.</summary>
    public async Task ConvergeAsync()
    {
        foreach (var (resource, kind) in new[] { ("services", ObjectKind.Service), ("endpointslices", ObjectKind.EndpointSlice) })
        {
            await Sink.WaitAsync(() => Server.Keys(resource).OrderBy(entry => entry.Key).SequenceEqual(Sink.Versions(kind).OrderBy(entry => entry.Key)),
                $"{resource} are equal");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running);
        _kubernetes?.Dispose();
        await Server.DisposeAsync();
        _stop.Dispose();
    }
}
