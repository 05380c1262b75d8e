using KubeProxy.Core.Kubernetes;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>A server, and a source that reads from it into a sink.</summary>
internal sealed class ApiHarness : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    private ApiHarness(FakeApiServer server) => Server = server;

    public FakeApiServer Server { get; }

    public RecordingSink Sink { get; } = new();

    public ApiClient Client { get; private set; } = null!;

    public ApiServerSource Source { get; private set; } = null!;

    public static ApiClientOptions FastClient { get; } = new() { Qps = 0 };

    public static ApiServerSourceOptions Fast { get; } = new()
    {
        NodeName = "node1",
        FirstBackoff = TimeSpan.FromMilliseconds(1),
        LongestBackoff = TimeSpan.FromMilliseconds(10),
        FirstReconnect = TimeSpan.FromMilliseconds(2),
        LongestReconnect = TimeSpan.FromMilliseconds(20),
        FirstSilenceCheck = TimeSpan.FromMilliseconds(20),
    };

    public static async Task<ApiHarness> MakeAsync(FakeApiServerOptions? options = null)
    {
        var harness = new ApiHarness(await FakeApiServer.StartAsync(options));
        harness.Server.Set("nodes", ApiObjects.Node("node1"));
        harness.Server.Set("nodes", ApiObjects.Node("node2"));
        harness.Server.Set("servicecidrs", ApiObjects.ServiceCidr("kubernetes", "10.0.0.0/16"));
        harness.Server.Set("services", ApiObjects.Service("web"));
        harness.Server.Set("endpointslices", ApiObjects.Slice("web-1", "web", ["10.244.0.1", "10.244.0.2"]));
        return harness;
    }

    /// <summary>Begins to read.</summary>
    public void Start(
        ApiServerSourceOptions? options = null, ApiServerAccess? access = null, ApiClientOptions? client = null, TimeProvider? time = null)
    {
        Client = new ApiClient(access ?? new ApiServerAccess { Server = Server.Url }, client ?? FastClient, time);
        Source = new ApiServerSource(Client, options ?? Fast);
        _running = Source.RunAsync(Sink, _stop.Token);
    }

    /// <summary>Begins to read, and waits until everything is there.</summary>
    public async Task StartAndSyncAsync(
        ApiServerSourceOptions? options = null, ApiServerAccess? access = null, ApiClientOptions? client = null, TimeProvider? time = null)
    {
        Start(options, access, client, time);
        await Sink.AllSyncedAsync();
    }

    /// <summary>Waits until the sink holds what the server holds.</summary>
    public async Task ConvergeAsync()
    {
        foreach (var resource in ApiResource.Watched("node1"))
        {
            var expected = Server.Keys(resource.Resource, resource.LabelSelector, resource.FieldSelector);
            await Sink.WaitAsync(() => Same(expected, Sink.Versions(resource.Kind)), () => Difference(resource, expected));
        }
    }

    public Task<FakeRequest> WatchAsync(string resource, int after = 0) =>
        Server.WaitForRequestAsync(request => request.Number > after && request.Resource == resource && request.IsWatch && !request.IsStream)
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

    public IEnumerable<FakeRequest> RequestsOf(string resource) => Server.Requests.Where(request => request.Resource == resource);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running);
        await Server.DisposeAsync();
        Client.Dispose();
        _stop.Dispose();
    }

    private string Difference(ApiResource resource, IReadOnlyDictionary<string, long> expected)
    {
        var actual = Sink.Versions(resource.Kind);
        return $"""
            {resource.Resource} are equal
            missing or old: {string.Join(' ', expected.Except(actual))}
            too much: {string.Join(' ', actual.Except(expected))}
            server at {Server.Version}, source: {string.Join("; ", Source.GetStatus().Where(status => status.Kind == resource.Kind))}
            requests: {string.Join("\n", RequestsOf(resource.Resource).TakeLast(4).Select(request => $"{request.Number} {string.Join('&', request.Query)}"))}
            """;
    }

    private static bool Same(IReadOnlyDictionary<string, long> one, Dictionary<string, long> other) =>
        one.Count == other.Count && one.All(entry => other.TryGetValue(entry.Key, out var version) && version == entry.Value);
}
