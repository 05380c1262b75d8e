using System.Globalization;
using System.Text.Json.Nodes;
using KubeProxy.Core.Kubernetes;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>The protocol when nothing goes wrong.</summary>
public sealed class ListAndWatchTests
{
    [Theory]
    [InlineData(true, WireFormats.Json, true)]
    [InlineData(false, WireFormats.Json, true)]
    [InlineData(true, WireFormats.Protobuf, true)]
    [InlineData(false, WireFormats.Protobuf, true)]
    [InlineData(true, WireFormats.Protobuf, false)]
    public async Task Initial_state_and_changes_arrive(bool stream, string contentType, bool serverSpeaksProtobuf)
    {
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions { StreamsInitialState = stream, SpeaksProtobuf = serverSpeaksProtobuf });
        await harness.StartAndSyncAsync(client: ApiHarness.FastClient with { AcceptContentTypes = contentType });
        await harness.ConvergeAsync();

        harness.Server.Set("services", ApiObjects.Service("api", "10.0.0.2"));
        harness.Server.Set("services", ApiObjects.Service("web", port: 8080));
        harness.Server.Delete("endpointslices", "default/web-1");
        await harness.ConvergeAsync();

        var web = Assert.IsType<Service>(harness.Sink.Find(ObjectKind.Service, "web"));
        Assert.Equal(8080, web.Spec.Ports[0].Port);
        Assert.Equal(0, harness.Sink.Count(ObjectKind.EndpointSlice));
        Assert.Empty(harness.Sink.Problems);
        Assert.All(harness.Source.GetStatus(), status => Assert.True(status is { Synced: true, Error: null, LastContact: not null, Phase: ReflectorPhase.Watching or ReflectorPhase.Listing }));
    }

    [Fact]
    public async Task Selectors_are_those_of_upstream()
    {
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.Set("services", ApiObjects.Service("headless", "None"));
        harness.Server.Set("services", ApiObjects.Service("foreign", labels: new JsonObject { ["service.kubernetes.io/service-proxy-name"] = "" }));
        harness.Server.Set("endpointslices", ApiObjects.Slice("headless-1", "headless", ["10.244.0.9"], new JsonObject { ["service.kubernetes.io/headless"] = "" }));
        await harness.StartAndSyncAsync();

        Assert.Equal(["default/web"], harness.Sink.Versions(ObjectKind.Service).Keys);
        Assert.Equal(["default/web-1"], harness.Sink.Versions(ObjectKind.EndpointSlice).Keys);
        Assert.Equal(["node1"], harness.Sink.Versions(ObjectKind.Node).Keys);
        Assert.Equal(["kubernetes"], harness.Sink.Versions(ObjectKind.ServiceCIDR).Keys);

        harness.Server.Set("services", ApiObjects.Service("web", labels: new JsonObject { ["service.kubernetes.io/service-proxy-name"] = "other" }));
        await harness.ConvergeAsync();
        Assert.False(harness.Sink.Has(ObjectKind.Service, "web"));
    }

    [Fact]
    public async Task Lists_come_in_pages()
    {
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions { PagesFromCache = true });
        for (var i = 0; i < 1203; i++) harness.Server.Set("services", ApiObjects.Service($"svc-{i}"));
        await harness.StartAndSyncAsync(ApiHarness.Fast with { StreamInitialState = false });
        await harness.ConvergeAsync();

        var lists = harness.RequestsOf("services").Where(request => !request.IsWatch).ToList();
        Assert.Equal(["500", "500", "500"], lists.Select(request => request.Get("limit")));
        Assert.Equal(["0", null, null], lists.Select(request => request.Get("resourceVersion")));
        Assert.Null(lists[0].Get("continue"));
        Assert.All(lists[1..], request => Assert.NotNull(request.Get("continue")));
    }

    [Fact]
    public async Task Page_that_expired_leads_to_a_list_without_pages()
    {
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions { PagesFromCache = true });
        for (var i = 0; i < 30; i++) harness.Server.Set("services", ApiObjects.Service($"svc-{i}"));
        harness.Server.Inject(request => request.Get("continue") is not null && request.Resource == "services", new Fault.Refuse(410, "Expired"));
        await harness.StartAndSyncAsync(ApiHarness.Fast with { StreamInitialState = false, PageSize = 10 });
        await harness.ConvergeAsync();

        var last = harness.RequestsOf("services").Last(request => !request.IsWatch);
        Assert.Null(last.Get("limit"));
        Assert.Null(last.Get("resourceVersion"));
    }

    [Fact]
    public async Task Server_that_does_not_stream_is_asked_once()
    {
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions { StreamsInitialState = false });
        await harness.StartAndSyncAsync();
        var before = (await harness.WatchAsync("services")).Number;
        // What comes through it shows that the watch is there: one that has only been asked for cannot be ended.
        harness.Server.Set("services", ApiObjects.Service("early"));
        await harness.ConvergeAsync();
        harness.Server.Compact();
        harness.Server.Set("services", ApiObjects.Service("late"));
        harness.Server.Inject(request => request is { IsWatch: true, Resource: "services" }, new Fault.ErrorEvent(0));
        harness.Server.EndWatches();
        await harness.ConvergeAsync();
        await harness.WatchAsync("services", before);

        Assert.Single(harness.RequestsOf("services"), request => request.IsStream);
    }

    [Fact]
    public async Task Watch_that_ends_is_resumed_where_it_was()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync();
        harness.Server.Set("services", ApiObjects.Service("api"));
        await harness.ConvergeAsync();
        var version = harness.Sink.Versions(ObjectKind.Service)["default/api"];
        var upserts = harness.Sink.Upserts;
        harness.Server.EndWatches();

        var resumed = await harness.WatchAsync("services");
        Assert.Equal(version.ToString(CultureInfo.InvariantCulture), resumed.Get("resourceVersion"));
        Assert.Equal("true", resumed.Get("allowWatchBookmarks"));
        Assert.InRange(int.Parse(resumed.Get("timeoutSeconds")!, CultureInfo.InvariantCulture), 300, 600);
        Assert.Equal(upserts, harness.Sink.Upserts);
    }

    [Fact]
    public async Task Bookmarks_move_the_position_where_nothing_happens()
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync();
        for (var i = 0; i < 5; i++) harness.Server.Set("endpointslices", ApiObjects.Slice("web-1", "web", [$"10.244.0.{i}"]));
        var version = harness.Server.Version.ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i < 3; i++) harness.Server.SendBookmarks();
        harness.Server.EndWatches();

        var resumed = await harness.WatchAsync("services");
        Assert.Equal(version, resumed.Get("resourceVersion"));
    }

    [Fact]
    public async Task Kind_that_the_server_does_not_know_is_empty()
    {
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.SetMissing("servicecidrs", true);
        await harness.StartAndSyncAsync();

        Assert.Equal(0, harness.Sink.Count(ObjectKind.ServiceCIDR));
        Assert.Empty(harness.Sink.Problems);
        Assert.Single(harness.RequestsOf("servicecidrs"));
    }

    [Theory]
    [InlineData(WireFormats.Json)]
    [InlineData(WireFormats.Protobuf)]
    public async Task Malformed_object_is_reported_and_the_rest_goes_on(string contentType)
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(client: ApiHarness.FastClient with { AcceptContentTypes = contentType });
        harness.Server.SetMalformed("services", ApiObjects.Service("web"),
            """{"metadata":{"name":"web","namespace":"default","resourceVersion":"$RV"},"spec":{"ports":[{"port":"eighty"}]}}""",
            ProtobufWriter.Field(2, ProtobufWriter.Field(1, ProtobufWriter.Field(3, 1L << 40))));
        harness.Server.Set("services", ApiObjects.Service("next"));
        await harness.Sink.WaitAsync(() => harness.Sink.Has(ObjectKind.Service, "next"), "the next service is there");

        var problem = Assert.Single(harness.Sink.Problems);
        Assert.Equal(("Service", "default/web", "spec.ports[0].port"), (problem.Kind, problem.Name.ToString(), problem.Field));
        Assert.Equal(80, Assert.IsType<Service>(harness.Sink.Find(ObjectKind.Service, "web")).Spec.Ports[0].Port);

        // A list does not take it for gone, and one that is well again has no problem any more.
        harness.Server.Inject(request => request is { IsWatch: true, IsStream: false, Resource: "services" }, new Fault.ErrorEvent(0));
        harness.Server.Set("services", ApiObjects.Service("third"));
        harness.Server.EndWatches();
        await harness.Sink.WaitAsync(() => harness.Sink.Has(ObjectKind.Service, "third"), "the third service is there");
        await harness.Server.WaitForRequestAsync(request => request is { IsStream: true, Resource: "services", Number: > 4 });
        Assert.True(harness.Sink.Has(ObjectKind.Service, "web"));
        harness.Server.Set("services", ApiObjects.Service("web", port: 81));
        await harness.ConvergeAsync();
        Assert.Empty(harness.Sink.Problems);
    }

    [Theory]
    [InlineData(WireFormats.Json)]
    [InlineData(WireFormats.Protobuf)]
    public async Task Only_what_has_a_meaning_is_kept_of_labels_and_annotations(string contentType)
    {
        await using var harness = await ApiHarness.MakeAsync();
        await harness.StartAndSyncAsync(client: ApiHarness.FastClient with { AcceptContentTypes = contentType });

        Assert.Equal([WellKnownNames.ServiceNameLabel], harness.Sink.Find(ObjectKind.EndpointSlice, "web-1")!.Metadata.Labels!.Keys);
        Assert.Null(harness.Sink.Find(ObjectKind.EndpointSlice, "web-1")!.Metadata.Annotations);
        Assert.Equal("zone-a", harness.Sink.Find(ObjectKind.Node, "node1")!.Metadata.Label(WellKnownNames.ZoneLabel));
    }

    [Theory]
    [InlineData(true, WireFormats.Json)]
    [InlineData(false, WireFormats.Protobuf)]
    public async Task Hundred_thousand_objects(bool stream, string contentType)
    {
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.Fill("services", Enumerable.Range(0, 100_000).Select(i => ApiObjects.Service($"svc-{i}")));
        await harness.StartAndSyncAsync(
            ApiHarness.Fast with { StreamInitialState = stream }, client: ApiHarness.FastClient with { AcceptContentTypes = contentType });

        Assert.Equal(100_001, harness.Sink.Count(ObjectKind.Service));
    }
}
