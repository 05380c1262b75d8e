using KubeProxy.Core.Kubernetes;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>After an outage, whatever kind it was: everything is there at once, and nobody was asked more than needed.</summary>
public sealed class RecoveryTests
{
    private static readonly TimeSpan Forever = TimeSpan.FromHours(1);

    /// <summary>A backoff that no test would live to see the end of: whoever waits for it has lost.</summary>
    private static readonly ApiServerSourceOptions NoBackoff = ApiHarness.Fast with { FirstBackoff = Forever, LongestBackoff = Forever };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_of_the_server_wakes_all_kinds_and_a_compacted_history_costs_no_wait(bool compacted)
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(NoBackoff);
        for (var round = 0; round < 3; round++)
        {
            await harness.Server.PauseAsync();
            await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 1, "it is noticed");
            harness.Server.Set("services", ApiObjects.Service($"svc-{round}"));
            harness.Server.Set("nodes", ApiObjects.Node("node1"));
            harness.Server.Set("servicecidrs", ApiObjects.ServiceCidr("kubernetes", "10.0.0.0/16"));
            harness.Server.Delete("endpointslices", "default/web-1");
            harness.Server.Set("endpointslices", ApiObjects.Slice("web-1", "web", [$"10.244.1.{round}"]));
            if (compacted) harness.Server.Compact();
            await harness.Server.ResumeAsync();
            await harness.ConvergeAsync();
        }
    }

    [Fact]
    public async Task While_all_requests_fail_with_an_error_of_the_server_there_is_one_attempt_at_a_time()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(NoBackoff with { FirstReconnect = TimeSpan.FromMilliseconds(50), LongestReconnect = TimeSpan.FromMilliseconds(50) });
        var before = harness.Server.Requests.Count;
        harness.Server.SetChaos(_ => new Fault.Refuse(503, "no backend"));
        harness.Server.CutConnections();
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        Assert.InRange(harness.Server.Requests.Count - before, 5, 50); // Each 25 to 50 ms, by one of four.
        Assert.False(harness.Source.GetConnection().IsConnected);
        harness.Server.SetChaos(null);
        harness.Server.Set("services", ApiObjects.Service("last"));
        await harness.ConvergeAsync();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 0, "all is well again");
    }

    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task Kind_that_fails_alone_holds_up_no_other(int code)
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(NoBackoff);
        harness.Server.SetChaos(request => request.Resource == "nodes" ? new Fault.Refuse(code, "SomeReason") : null);
        await harness.Server.PauseAsync();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 1, "it is noticed");
        harness.Server.Set("services", ApiObjects.Service("new"));
        harness.Server.Set("endpointslices", ApiObjects.Slice("new-1", "new", ["10.244.1.1"]));
        await harness.Server.ResumeAsync();
        await harness.Sink.WaitAsync(
            () => harness.Sink.Has(ObjectKind.Service, "new") && harness.Sink.Has(ObjectKind.EndpointSlice, "new-1"), "other kinds are there");
    }

    [Fact]
    public async Task Watch_that_is_ended_again_and_again_with_410_does_not_list_without_a_pause()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(NoBackoff);
        harness.Server.SetChaos(request => request is { Resource: "services", IsWatch: true, IsStream: false } ? new Fault.ErrorEvent(0) : null);
        for (var i = 0; i < 2; i++)
        {
            var lists = harness.RequestsOf("services").Count(request => request.IsStream);
            harness.Server.EndWatches();
    
            await Task.Delay(300, TestContext.Current.CancellationToken);
            Assert.Equal(i == 0 ? lists + 1 : lists, harness.RequestsOf("services").Count(request => request.IsStream));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Restored_server_whose_versions_went_back_is_read_anew_though_it_is_silent(bool stream)
    {
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions { StreamsInitialState = stream });
        for (var i = 0; i < 20; i++) harness.Server.Set("services", ApiObjects.Service($"svc-{i}"));
        await harness.StartAndSyncAsync(NoBackoff);
        await harness.Server.PauseAsync();
        harness.Server.SetVersionBack(10);
        harness.Server.Delete("services", "default/web");
        harness.Server.Set("services", ApiObjects.Service("svc-1", port: 99));
        await harness.Server.ResumeAsync();
        await harness.ConvergeAsync();
        Assert.True(harness.Sink.Versions(ObjectKind.Service)["default/svc-1"] < 100); // Lower than it was.
    }

    [Fact]
    public async Task Versions_that_go_back_behind_an_open_connection_are_found_when_bookmarks_stay_away()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(NoBackoff with { SilenceLimit = TimeSpan.FromMilliseconds(300) });
        harness.Server.EndWatches();
        await harness.WatchAsync("services");
        await harness.Server.WaitForRequestAsync(request => request.Get("limit") == "1" && request.Resource == "services");
        harness.Server.SetVersionBack(10);
        harness.Server.Delete("services", "default/web");
        await harness.Sink.WaitAsync(() => !harness.Sink.Has(ObjectKind.Service, "web"), "what is gone is gone here");
    }

    [Fact]
    public async Task Silent_server_that_has_come_so_far_is_left_alone()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(NoBackoff with { SilenceLimit = TimeSpan.FromMilliseconds(50) });
        harness.Server.EndWatches();
        var watch = await harness.WatchAsync("services");
        await harness.Server.WaitForRequestAsync(request => request.Number > watch.Number && request is { Resource: "services", IsWatch: false })
            .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Single(harness.RequestsOf("services"), request => request.IsStream);
        var checks = harness.RequestsOf("services").Where(request => !request.IsWatch).ToList();
        Assert.All(checks, request => Assert.True(request.Get("limit") == "1" && request.Get("resourceVersion") is null && request.Get("labelSelector") is null));
        Assert.All(harness.RequestsOf("nodes").Where(request => !request.IsWatch), request => Assert.Equal("metadata.name=node1", request.Get("fieldSelector")));
    }
}
