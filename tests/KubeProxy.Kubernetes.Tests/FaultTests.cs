using KubeProxy.Core.Kubernetes;
using KubeProxy.TestKit;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>The protocol when something goes wrong: in the end the sink holds what the server holds.</summary>
public sealed class FaultTests
{
    private static bool IsServiceWatch(FakeRequest request) => request is { Resource: "services", IsWatch: true, IsStream: false };

    private static bool IsServiceStream(FakeRequest request) => request is { Resource: "services", IsStream: true };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Expired_version_leads_to_a_new_list(bool asEvent)
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync();
        harness.Server.Inject(IsServiceWatch, asEvent ? new Fault.ErrorEvent(0) : new Fault.Refuse(410, "Expired"));
        harness.Server.EndWatches();
        await harness.WatchAsync("services");
        harness.Server.Set("services", ApiObjects.Service("api"));
        await harness.ConvergeAsync();

        Assert.Equal(2, harness.RequestsOf("services").Count(request => request.IsStream));
        Assert.Empty(harness.Sink.Problems);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Deletion_that_nobody_saw_is_found_by_the_next_list(bool stream)
    {
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions { StreamsInitialState = stream });
        harness.Server.Set("services", ApiObjects.Service("stays"));
        await harness.StartAndSyncAsync();
        await harness.Server.PauseAsync();
        harness.Server.Delete("services", "default/web");
        harness.Server.Delete("endpointslices", "default/web-1");
        harness.Server.Set("services", ApiObjects.Service("new"));
        harness.Server.Compact();
        await harness.Server.ResumeAsync();
        await harness.ConvergeAsync();

        Assert.False(harness.Sink.Has(ObjectKind.Service, "web"));
        Assert.True(harness.Sink.Has(ObjectKind.Service, "stays"));
        Assert.Equal(0, harness.Sink.Count(ObjectKind.EndpointSlice));
    }

    [Fact]
    public async Task Server_that_is_away_takes_nothing_with_it()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync();
        var upserts = harness.Sink.Upserts;
        await harness.Server.PauseAsync();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count > 0, "there is a problem");
        var problem = Assert.Single(harness.Sink.Problems); // Of the server, not one of each kind.
        Assert.EndsWith("what was read before stays in force", problem.Message, StringComparison.Ordinal);
        Assert.True(harness.Source.GetConnection() is { IsConnected: false, AwaySince: not null, Attempts: > 1, Error: not null });
        Assert.True(harness.Sink.Has(ObjectKind.Service, "web"));

        await harness.Server.ResumeAsync();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 0, "all is well again");
        Assert.Equal(new ConnectionStatus(), harness.Source.GetConnection());
        Assert.Equal(upserts, harness.Sink.Upserts); // Resumed, not read again.
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(700)]
    [InlineData(1500)]
    public async Task Connection_cut_anywhere_is_resumed(int bytes)
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync();
        harness.Server.Inject(IsServiceWatch, new Fault.CutAfter(bytes), new Fault.CutAfter(bytes));
        harness.Server.EndWatches();
        await harness.WatchAsync("services");
        for (var i = 0; i < 4; i++) harness.Server.Set("services", ApiObjects.Service($"svc-{i}"));
        await harness.ConvergeAsync();

        Assert.Single(harness.RequestsOf("services"), request => request.IsStream);
    }

    [Theory]
    [InlineData(true, 10)]
    [InlineData(true, 1200)]
    [InlineData(false, 10)]
    [InlineData(false, 1200)]
    public async Task Initial_state_that_is_cut_is_read_again(bool stream, int bytes)
    {
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.Set("services", ApiObjects.Service("api"));
        harness.Server.Inject(request => request.Resource == "services", new Fault.CutAfter(bytes));
        await harness.StartAndSyncAsync(ApiHarness.Fast with { StreamInitialState = stream });
        await harness.ConvergeAsync();
    }

    [Fact]
    public async Task Object_gone_between_two_attempts_of_the_initial_state_is_deleted()
    {
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.Set("services", ApiObjects.Service("zzz"));
        harness.Server.Inject(IsServiceStream, new Fault.StallAfter(ProtobufWriter.Encode("Service", ApiObjects.Service("web")).Length * 3 / 2));
        harness.Start();
        await harness.Sink.WaitAsync(() => harness.Sink.Has(ObjectKind.Service, "web"), "the first object is there");
        Assert.False(harness.Sink.IsSynced(ObjectKind.Service));
        harness.Server.Delete("services", "default/web");
        harness.Server.CutConnections();
        await harness.Sink.AllSyncedAsync();
        await harness.ConvergeAsync();
        Assert.False(harness.Sink.Has(ObjectKind.Service, "web"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    public async Task Silent_watch_is_replaced_by_another(int bytes)
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(client: ApiHarness.FastClient with { IdleTimeout = TimeSpan.FromMilliseconds(300) });
        harness.Server.Inject(IsServiceWatch, new Fault.StallAfter(bytes));
        harness.Server.EndWatches();
        await harness.WatchAsync("services");
        harness.Server.Set("services", ApiObjects.Service("api"));
        await harness.ConvergeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bytes_that_dribble_in_are_not_cut(bool stream)
    {
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.Inject(_ => true, [.. Enumerable.Repeat(new Fault.Dribble(7), 8)]);
        await harness.StartAndSyncAsync(ApiHarness.Fast with { StreamInitialState = stream });
        harness.Server.Set("services", ApiObjects.Service("api"));
        await harness.ConvergeAsync();
    }

    [Fact]
    public async Task Server_says_when_to_come_back()
    {
        var time = new SteppedTime();
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.Inject(IsServiceStream, new Fault.Refuse(429, "TooManyRequests", TimeSpan.FromSeconds(7)));
        harness.Start(ApiHarness.Fast with { LongestBackoff = TimeSpan.FromSeconds(30) }, time: time);
        var wait = await time.WaitForTimerAsync(due => due >= TimeSpan.FromSeconds(7) && due < TimeSpan.FromSeconds(8))
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Single(harness.RequestsOf("services"));
        time.Advance(wait);
        await harness.Sink.AllSyncedAsync();
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(403)]
    public async Task Refusal_is_reported_and_tried_again(int code)
    {
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.SetChaos(request => request.Resource == "nodes" ? new Fault.Refuse(code, "SomeReason") : null);
        harness.Start();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 1, "there is a problem");
        var problem = harness.Sink.Problems[0];
        Assert.Equal($"{harness.Server.Url.GetLeftPart(UriPartial.Authority)} nodes", problem.Place);
        Assert.StartsWith($"{code} SomeReason", problem.Message, StringComparison.Ordinal);

        harness.Server.SetChaos(null);
        await harness.Sink.AllSyncedAsync();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 0, "the problem is over");
    }

    [Fact]
    public async Task Other_error_events_do_not_cost_a_list()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync();
        harness.Server.Inject(IsServiceWatch, new Fault.ErrorEvent(1, 500, "InternalError"));
        harness.Server.EndWatches();
        await harness.WatchAsync("services");
        harness.Server.Set("services", ApiObjects.Service("one"));
        harness.Server.Set("services", ApiObjects.Service("two"));
        await harness.ConvergeAsync();

        Assert.Single(harness.RequestsOf("services"), request => request.IsStream);
    }

    [Fact]
    public async Task Restored_backup_whose_versions_run_backwards_is_read_anew()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(client: ApiHarness.FastClient);
        await harness.Server.PauseAsync();
        harness.Server.SetVersionBack(10);
        harness.Server.Delete("services", "default/web");
        await harness.Server.ResumeAsync();
        await harness.ConvergeAsync();
    }

    [Fact]
    public async Task Server_that_never_completes_a_stream_is_asked_for_a_list()
    {
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.SetChaos(request => request.IsStream ? new Fault.CutAfter(50) : null);
        await harness.StartAndSyncAsync();
        await harness.ConvergeAsync();
    }
}
