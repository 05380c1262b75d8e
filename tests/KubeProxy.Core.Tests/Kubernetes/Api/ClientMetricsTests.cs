using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Kubernetes.Api;
using KubeProxy.Core.Model;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Core.Tests.Api;

public sealed class ClientMetricsTests
{
    [Fact]
    public async Task Requests_are_counted_as_upstream_counts_them()
    {
        await using var server = await FakeApiServer.StartAsync();
        var seen = new ConcurrentBag<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (instrument.Meter.Name == "KubeProxy" && instrument.Name.StartsWith("rest_client_", StringComparison.Ordinal)) it.EnableMeasurementEvents(instrument);
        };
        void Note(string name, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var labels = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value?.ToString());
            if (labels.GetValueOrDefault("host") != server.Url.Authority) return; // Other tests run at the same time.
            labels.Remove("host");
            if (name.EndsWith("_size_bytes", StringComparison.Ordinal)) labels.Add("empty", (value == 0).ToString());
            seen.Add($"{name} {string.Join(' ', labels.Select(label => $"{label.Key}={label.Value}"))}{(name.EndsWith("_total", StringComparison.Ordinal) ? $" {value}" : "")}");
        }

        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument.Name, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument.Name, value, tags));
        listener.Start();
        using var client = new ApiClient(new ApiServerAccess { Server = server.Url });
        await client.GetAsync(ObjectKind.Node, new NamespacedName("", "none"), TestContext.Current.CancellationToken);
        server.Set("nodes", ApiObjects.Node("node1"));
        await client.GetAsync(ObjectKind.Node, new NamespacedName("", "node1"), TestContext.Current.CancellationToken);
        await server.PauseAsync();
        await Assert.ThrowsAsync<ApiRequestException>(() => client.CreateAsync("/api/v1/namespaces/default/events", "{}"u8.ToArray(), TestContext.Current.CancellationToken));

        Assert.Equal(
            [
                "rest_client_rate_limiter_duration_seconds verb=GET",
                "rest_client_rate_limiter_duration_seconds verb=GET",
                "rest_client_rate_limiter_duration_seconds verb=POST",
                "rest_client_request_duration_seconds verb=GET",
                "rest_client_request_duration_seconds verb=GET",
                "rest_client_request_duration_seconds verb=POST",
                "rest_client_request_size_bytes verb=GET empty=True",
                "rest_client_request_size_bytes verb=GET empty=True",
                "rest_client_request_size_bytes verb=POST empty=False",
                "rest_client_requests_total code=200 method=GET 1",
                "rest_client_requests_total code=404 method=GET 1",
                "rest_client_requests_total code=<error> method=POST 1",
                "rest_client_response_size_bytes verb=GET empty=False",
            ],
            seen.Order(StringComparer.Ordinal));
    }
}
