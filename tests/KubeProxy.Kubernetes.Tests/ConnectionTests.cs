using System.Net;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Kubernetes.Access;
using KubeProxy.TestKit;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>What is between us and the server: names, addresses, proxies, dead links, servers that send us elsewhere.</summary>
public sealed class ConnectionTests : IDisposable
{
    private static readonly TimeSpan Forever = TimeSpan.FromHours(1);
    private static readonly ApiServerSourceOptions NoBackoff = ApiHarness.Fast with { FirstBackoff = Forever, LongestBackoff = Forever };
    private static readonly IPAddress Elsewhere = IPAddress.Parse("127.0.0.77");

    /// <summary>Of RFC 5737: packets to it are dropped, or refused by a router.</summary>
    private static readonly IPAddress Nowhere = IPAddress.Parse("192.0.2.1");

    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Name_that_moves_to_another_address_is_followed()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await using var relay = new TcpRelay(() => EndPointOf(harness.Server), address: Elsewhere, port: harness.Server.Url.Port);
        IPAddress[] addresses = [IPAddress.Loopback];
        await harness.StartAndSyncAsync(NoBackoff, AccessTo(harness.Server), ApiHarness.FastClient with { Resolve = _ => Task.FromResult(Volatile.Read(ref addresses)) });
        Assert.Equal(0, relay.Connections);
        Volatile.Write(ref addresses, [Elsewhere]);
        harness.Server.CutConnections();
        harness.Server.Set("services", ApiObjects.Service("new"));
        await harness.ConvergeAsync();
        Assert.True(relay.Connections > 0);
    }

    [Fact]
    public async Task Resolver_that_does_not_answer_costs_a_second_and_not_the_connection()
    {
        await using var harness = await ApiHarness.MakeAsync();
        var isDown = false;
        var never = new TaskCompletionSource<IPAddress[]>();
        await harness.StartAndSyncAsync(NoBackoff, AccessTo(harness.Server), ApiHarness.FastClient with
        {
            Resolve = _ => Volatile.Read(ref isDown) ? never.Task : Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
        });
        Volatile.Write(ref isDown, true);
        harness.Server.CutConnections();
        harness.Server.Set("services", ApiObjects.Service("new"));
        await harness.ConvergeAsync();
    }

    [Fact]
    public async Task Dead_address_does_not_cost_a_timeout()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(NoBackoff, AccessTo(harness.Server), ApiHarness.FastClient with
        {
            ConnectTimeout = Forever, Resolve = _ => Task.FromResult<IPAddress[]>([Nowhere, Elsewhere, IPAddress.Loopback]), // Silent; refuses; is there.
        });
        for (var i = 0; i < 3; i++)
        {
            harness.Server.CutConnections();
            harness.Server.Set("services", ApiObjects.Service($"new-{i}"));
            await harness.ConvergeAsync();
        }
    }

    [Fact]
    public async Task All_addresses_that_refuse_are_an_outage_with_the_reason()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(NoBackoff, AccessTo(harness.Server), ApiHarness.FastClient with { Resolve = _ => Task.FromResult<IPAddress[]>([Elsewhere, IPAddress.Loopback]) });
        await harness.Server.PauseAsync();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 1, "it is noticed");
        Assert.Contains("refused", harness.Sink.Problems[0].Message, StringComparison.Ordinal);
        await harness.Server.ResumeAsync();
        harness.Server.Set("services", ApiObjects.Service("new"));
        await harness.ConvergeAsync();
    }

    [Fact]
    public async Task Proxy_that_was_away_is_used_again()
    {
        await using var harness = await MakeSecureAsync();
        EndPoint? target = EndPointOf(harness.Server);
        await using var proxy = new TcpRelay(() => Volatile.Read(ref target), isProxy: true);
        await harness.StartAndSyncAsync(NoBackoff, Trusting(harness.Server.Url) with { ProxyUrl = new Uri($"http://127.0.0.1:{proxy.Port}") });
        var before = proxy.Connections;
        Volatile.Write(ref target, null);
        proxy.Cut();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 1, "it is noticed");
        harness.Server.Set("services", ApiObjects.Service("new"));
        Volatile.Write(ref target, EndPointOf(harness.Server));
        await harness.ConvergeAsync();
        Assert.True(proxy.Connections > before);
    }

    [Fact]
    public async Task Connection_through_which_nothing_comes_any_more_is_replaced()
    {
        await using var harness = await MakeSecureAsync();
        await using var relay = new TcpRelay(() => EndPointOf(harness.Server));
        var options = ApiHarness.FastClient with { PingDelay = TimeSpan.FromSeconds(1), PingTimeout = TimeSpan.FromSeconds(1) };
        await harness.StartAndSyncAsync(NoBackoff, Trusting(new Uri($"https://127.0.0.1:{relay.Port}")), options);
        relay.Freeze();
        harness.Server.Set("services", ApiObjects.Service("new"));
        relay.Heal();
        await harness.ConvergeAsync();
        Assert.True(relay.Connections >= 2);
    }

    [Fact]
    public async Task Server_that_sends_us_elsewhere_loses_nothing_of_what_is_open()
    {
        await using var harness = await MakeSecureAsync();
        await harness.StartAndSyncAsync(NoBackoff, Trusting(harness.Server.Url));
        harness.Server.SendGoAway();
        harness.Server.Set("services", ApiObjects.Service("one"));
        await harness.ConvergeAsync(); // Through the watch that was there.
        Assert.Single(harness.RequestsOf("services"));
        harness.Server.EndWatches();
        await harness.WatchAsync("services");
        harness.Server.Set("services", ApiObjects.Service("two"));
        await harness.ConvergeAsync(); // Through another connection.
        Assert.Single(harness.RequestsOf("services"), request => request.IsStream);
        Assert.Empty(harness.Sink.Problems);
    }

    [Fact]
    public async Task Token_that_expired_meanwhile_is_read_again()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("token", "old");
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.AcceptTokens("old");
        await harness.StartAndSyncAsync(NoBackoff, new ApiServerAccess { Server = harness.Server.Url, Token = SecretContent.OfFile(file) });
        await harness.Server.PauseAsync();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 1, "it is noticed");
        harness.Server.AcceptTokens("new");
        directory.Write("token", "new");
        harness.Server.Set("services", ApiObjects.Service("new"));
        await harness.Server.ResumeAsync();
        await harness.ConvergeAsync();
        Assert.True(harness.Source.GetConnection().IsConnected);
    }

    private Task<ApiHarness> MakeSecureAsync() => ApiHarness.MakeAsync(new FakeApiServerOptions { Certificate = _authority.Issue("api.test") });

    private ApiServerAccess Trusting(Uri server) => new()
    {
        Server = server, CertificateAuthority = SecretContent.OfData(System.Text.Encoding.UTF8.GetBytes(_authority.Pem)),
    };

    private static ApiServerAccess AccessTo(FakeApiServer server) => new() { Server = new Uri($"http://api.test:{server.Url.Port}") };

    private static IPEndPoint EndPointOf(FakeApiServer server) => new(IPAddress.Loopback, server.Url.Port);
}
