using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>What makes responses smaller, with servers that know it and with those that do not.</summary>
public sealed class CompressionTests
{
    private const string Protobuf = "application/vnd.kubernetes.protobuf";

    [Fact]
    public void Each_type_is_asked_for_with_the_parameter_and_without()
    {
        Assert.Equal(
            $"{Protobuf};drop=metadata.managedFields, {Protobuf}, application/json;drop=metadata.managedFields, application/json",
            new WireFormats(Protobuf, omitManagedFields: true).Accept);
        Assert.Equal($"{Protobuf}, application/json", new WireFormats(Protobuf).Accept);
    }

    [Theory]
    [InlineData(true, true, true, Protobuf)]
    [InlineData(true, true, true, "application/json")]
    [InlineData(true, false, true, Protobuf)]
    [InlineData(true, false, true, "application/json")]
    [InlineData(false, true, true, Protobuf)]
    [InlineData(false, true, false, Protobuf)]
    [InlineData(false, false, true, "application/json")]
    public async Task What_is_read_is_the_same(bool knows, bool streams, bool speaksProtobuf, string type)
    {
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions
        {
            Compresses = knows, DropsManagedFields = knows, StreamsInitialState = streams, SpeaksProtobuf = speaksProtobuf, PagesFromCache = true,
        });
        for (var i = 0; i < 1200; i++) harness.Server.Set("services", ApiObjects.Service($"service-{i}"));
        await harness.StartAndSyncAsync(client: ApiHarness.FastClient with { AcceptContentTypes = type });
        await harness.ConvergeAsync();
        // The watch goes on, compressed or not.
        harness.Server.Set("services", ApiObjects.Service("late"));
        harness.Server.Delete("services", "default/service-7");
        await harness.ConvergeAsync();
        // And the next one, which begins without a state.
        var last = harness.Server.Requests.Count;
        harness.Server.EndWatches();
        await harness.WatchAsync("services", last);
        harness.Server.Set("services", ApiObjects.Service("later"));
        await harness.ConvergeAsync();
        Assert.Empty(harness.Sink.Problems);
        var requests = harness.Server.Requests;
        Assert.All(requests, request => Assert.Equal(!request.IsWatch || request.IsStream, request.AcceptEncoding == "gzip"));
        Assert.Contains(requests, request => request.IsWatch && !request.IsStream);
        Assert.Equal(knows, harness.Server.Compressed > 0);
    }

    [Fact]
    public async Task Compressed_state_that_is_cut_is_read_again()
    {
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions { Compresses = true });
        for (var i = 0; i < 500; i++) harness.Server.Set("services", ApiObjects.Service($"service-{i}"));
        harness.Server.Inject(request => request.Resource == "services", new Fault.CutAfter(20_000), new Fault.CutAfter(60_000));
        await harness.StartAndSyncAsync();
        await harness.ConvergeAsync();
    }

    [Fact]
    public async Task What_only_says_that_it_is_compressed_is_a_broken_response()
    {
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions { FakesCompression = true });
        harness.Start();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count > 0, "it is said");
        harness.Server.StopFakingCompression();
        await harness.ConvergeAsync();
    }
}
