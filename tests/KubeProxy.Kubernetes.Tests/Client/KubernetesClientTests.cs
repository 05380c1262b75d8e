using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using k8s;
using k8s.Authentication;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Kubernetes.Client;
using KubeProxy.TestKit;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests.Client;

/// <summary>Lists and watches through a client of the official package.</summary>
public sealed class KubernetesClientTests
{
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Initial_state_and_changes_arrive(bool tls, bool stream)
    {
        using var authority = new TestAuthority();
        await using var harness = await ClientHarness.MakeAsync(new FakeApiServerOptions
        {
            Certificate = tls ? authority.Issue("api.test") : null,
            StreamsInitialState = stream,
        });
        await harness.StartAndSyncAsync(new KubernetesClientConfiguration { SslCaCerts = [authority.Certificate] });
        Assert.Equal(["web"], harness.Sink.Versions(ObjectKind.Service).Keys.Select(key => key.Split('/')[1]));

        harness.Server.Set("services", ApiObjects.Service("api", "10.0.0.2"));
        harness.Server.Set("services", ApiObjects.Service("web", port: 8080));
        harness.Server.Delete("endpointslices", "default/web-1");
        await harness.ConvergeAsync();

        Assert.Equal(8080, ((Service)harness.Sink.Find(ObjectKind.Service, "web")!).Spec.Ports[0].Port);
        Assert.Equal(0, harness.Sink.Count(ObjectKind.EndpointSlice));
        Assert.All(harness.Source.GetStatus(), status => Assert.True(status is { Synced: true, Error: null }));
        Assert.All(harness.Server.Requests, request => Assert.Equal(tls ? "HTTP/2" : "HTTP/1.1", request.Protocol));
    }

    [Fact]
    public async Task Watch_is_resumed_and_read_anew_after_a_410()
    {
        await using var harness = await ClientHarness.MakeAsync();
        await harness.StartAndSyncAsync();
        harness.Server.Set("services", ApiObjects.Service("early"));
        await harness.ConvergeAsync();
        harness.Server.EndWatches();
        var resumed = await harness.WatchAsync("services");
        Assert.Equal($"{harness.Sink.Versions(ObjectKind.Service)["default/early"]}", resumed.Get("resourceVersion"));

        await harness.Server.PauseAsync();
        harness.Server.Set("services", ApiObjects.Service("late"));
        harness.Server.Delete("services", "default/early");
        harness.Server.Compact();
        await harness.Server.ResumeAsync();
        await harness.ConvergeAsync();
        Assert.Equal(["default/late", "default/web"], harness.Sink.Versions(ObjectKind.Service).Keys.Order());
    }

    [Fact]
    public async Task Credentials_of_the_client_are_sent_as_they_are_at_the_time()
    {
        await using var harness = await ClientHarness.MakeAsync();
        harness.Server.AcceptTokens("first");
        var tokens = new Tokens { Token = "first" };
        await harness.StartAndSyncAsync(new KubernetesClientConfiguration { TokenProvider = tokens, UserAgent = "their-tool/1" });
        Assert.All(harness.Server.Requests, request => Assert.Equal(("Bearer first", "their-tool/1"), (request.Authorization, request.UserAgent)));

        harness.Server.AcceptTokens("second");
        tokens.Token = "second";
        harness.Server.EndWatches();
        Assert.Equal("Bearer second", (await harness.WatchAsync("services")).Authorization);
        harness.Server.Set("services", ApiObjects.Service("api"));
        await harness.ConvergeAsync();
    }

    [Fact]
    public async Task Who_cannot_say_who_he_is_is_asked_again()
    {
        await using var harness = await ClientHarness.MakeAsync();
        var tokens = new Tokens { Token = "late", Failures = 5 };
        await harness.StartAndSyncAsync(new KubernetesClientConfiguration { TokenProvider = tokens });
        Assert.Equal(0, tokens.Failures);
        Assert.All(harness.Server.Requests, request => Assert.Equal("Bearer late", request.Authorization));
    }

    [Fact]
    public async Task Handlers_of_the_client_see_each_request()
    {
        await using var harness = await ClientHarness.MakeAsync();
        using var handler = new Handler { Failures = 3 };
        await harness.StartAndSyncAsync(handlers: handler);
        Assert.Equal(0, handler.Failures);
        Assert.Contains(handler.Paths, path => path == "/apis/networking.k8s.io/v1/servicecidrs");
        Assert.True(handler.Paths.Count >= harness.Server.Requests.Count);
    }

    [Fact]
    public async Task Path_of_the_address_and_name_of_the_server_are_kept()
    {
        using var kubernetes = new k8s.Kubernetes(new KubernetesClientConfiguration { Host = "https://192.0.2.1:6443/clusters/a" });
        using var handler = new Handler { Answers = true };
        var access = kubernetes.ToApiServerAccess();
        Assert.Equal(new Uri("https://192.0.2.1:6443/clusters/a/"), access.Server);
        using var client = new ApiClient(access with { Handler = handler, TlsServerName = "api.test" });
        await client.CreateAsync("/api/v1/things", default, TestContext.Current.CancellationToken);
        Assert.Equal(("/clusters/a/api/v1/things", "api.test"), (handler.Paths.Single(), handler.Host));
    }

    [Fact]
    public async Task Client_lives_on_after_the_source()
    {
        var harness = await ClientHarness.MakeAsync();
        await using var server = harness.Server;
        using var kubernetes = harness.MakeClient();
        using (var stop = new CancellationTokenSource())
        {
            var running = kubernetes.AsProxySource(ApiHarness.Fast, ApiHarness.FastClient).RunAsync(harness.Sink, stop.Token);
            await harness.Sink.AllSyncedAsync();
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        }

        var services = await kubernetes.CoreV1.ListServiceForAllNamespacesAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("web", Assert.Single(services.Items).ToCore().Name.Name);
    }

    [Fact]
    public async Task Source_ends_when_somebody_disposes_the_client()
    {
        var harness = await ClientHarness.MakeAsync();
        await using var server = harness.Server;
        using var kubernetes = harness.MakeClient();
        var running = kubernetes.AsProxySource(ApiHarness.Fast, ApiHarness.FastClient).RunAsync(harness.Sink, TestContext.Current.CancellationToken);
        await harness.Sink.AllSyncedAsync();
        kubernetes.Dispose();
        harness.Server.EndWatches();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => running.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Implementation_that_does_not_say_how_it_sends_is_refused()
    {
        var other = DispatchProxy.Create<IKubernetes, NoKubernetes>();
        Assert.Contains("Handler", Assert.Throws<ArgumentException>(() => other.AsProxySource(ApiHarness.Fast)).Message, StringComparison.Ordinal);
        using var kubernetes = new k8s.Kubernetes(new KubernetesClientConfiguration { Host = "http://127.0.0.1:1" });
        Assert.Throws<ArgumentException>(() => kubernetes.AsProxySource(ApiHarness.Fast with { NodeName = " " }));
        Assert.Throws<ArgumentNullException>(() => kubernetes.AsProxySource(null!));
        Assert.Empty(kubernetes.AsProxySource(ApiHarness.Fast).GetStatus());
    }

    private sealed class Tokens : ITokenProvider
    {
        private int _failures;

        public string Token { get; set; } = "";

        public int Failures { get => _failures; set => _failures = value; }

        public Task<AuthenticationHeaderValue> GetAuthenticationHeaderAsync(CancellationToken cancellationToken) => Interlocked.Decrement(ref _failures) >= 0
            ? throw new NotSupportedException("no token yet")
            : Task.FromResult(new AuthenticationHeaderValue("Bearer", Reset()));

        private string Reset()
        {
            _failures = 0;
            return Token;
        }
    }

    private sealed class Handler : DelegatingHandler
    {
        private readonly Lock _gate = new();

        public int Failures { get; set; }

        public bool Answers { get; init; }

        public List<string> Paths { get; } = [];

        public string? Host { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                Paths.Add(request.RequestUri!.AbsolutePath);
                Host = request.Headers.Host;
                if (Failures > 0)
                {
                    Failures--;
                    throw new InvalidOperationException("this circuit is broken");
                }
            }

            return Answers ? new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("{}") } : await base.SendAsync(request, cancellationToken);
        }
    }
}

/// <summary>Another implementation.</summary>
public class NoKubernetes : DispatchProxy
{
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => null;
}
