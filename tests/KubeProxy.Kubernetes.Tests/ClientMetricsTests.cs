using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net.Sockets;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests;

public sealed class ClientMetricsTests
{
    [Fact]
    public async Task Requests_are_counted_as_upstream_counts_them()
    {
        await using var server = await FakeApiServer.StartAsync();
        using var seen = new Measurements();
        using (var client = new ApiClient(new ApiServerAccess { Server = server.Url }, meterFactory: seen))
        {
            await client.GetAsync(ObjectKind.Node, new NamespacedName("", "none"), TestContext.Current.CancellationToken);
            server.Set("nodes", ApiObjects.Node("node1"));
            await client.GetAsync(ObjectKind.Node, new NamespacedName("", "node1"), TestContext.Current.CancellationToken);
            await server.PauseAsync();
            await Assert.ThrowsAsync<ApiRequestException>(() => client.CreateAsync("/api/v1/namespaces/default/events", "{}"u8.ToArray(), TestContext.Current.CancellationToken));
            Assert.Equal(1, seen.Read("rest_client_transport_cache_entries"));
        }

        var host = $"host={server.Url.Authority}";
        Assert.Equal(0, seen.Read("rest_client_transport_cache_entries"));
        Assert.Equal(
            [
                $"rest_client_rate_limiter_duration_seconds verb=GET {host}",
                $"rest_client_rate_limiter_duration_seconds verb=GET {host}",
                $"rest_client_rate_limiter_duration_seconds verb=POST {host}",
                $"rest_client_request_duration_seconds verb=GET {host}",
                $"rest_client_request_duration_seconds verb=GET {host}",
                $"rest_client_request_duration_seconds verb=POST {host}",
                $"rest_client_request_size_bytes verb=GET {host} empty=True",
                $"rest_client_request_size_bytes verb=GET {host} empty=True",
                $"rest_client_request_size_bytes verb=POST {host} empty=False",
                $"rest_client_requests_total code=200 method=GET {host} 1",
                $"rest_client_requests_total code=404 method=GET {host} 1",
                $"rest_client_requests_total code=<error> method=POST {host} 1",
                $"rest_client_response_size_bytes verb=GET {host} empty=False",
                "rest_client_transport_create_calls_total result=hit 1",
                "rest_client_transport_create_calls_total result=hit 1",
                "rest_client_transport_create_calls_total result=miss 1",
            ],
            seen.All);
    }

    [Fact]
    public async Task Looking_up_a_name_is_measured()
    {
        await using var server = await FakeApiServer.StartAsync();
        server.Set("nodes", ApiObjects.Node("node1"));
        using var seen = new Measurements();
        using var client = new ApiClient(new ApiServerAccess { Server = new Uri($"http://localhost:{server.Url.Port}") }, meterFactory: seen);

        Assert.NotNull(await client.GetAsync(ObjectKind.Node, new NamespacedName("", "node1"), TestContext.Current.CancellationToken));
        Assert.NotNull(await client.GetAsync(ObjectKind.Node, new NamespacedName("", "node1"), TestContext.Current.CancellationToken));

        // Once: the connection is kept.
        Assert.Equal(["rest_client_dns_resolution_duration_seconds host=localhost"], seen.All.Where(line => line.Contains("_dns_", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_name_that_is_not_found_is_measured_and_told()
    {
        using var seen = new Measurements();
        using var client = new ApiClient(new ApiServerAccess { Server = new Uri("http://api.invalid:6443") }, meterFactory: seen);

        var failure = await Assert.ThrowsAsync<ApiRequestException>(
            () => client.GetAsync(ObjectKind.Node, new NamespacedName("", "node1"), TestContext.Current.CancellationToken));

        Assert.Contains("api.invalid:6443", failure.Message, StringComparison.Ordinal);
        Assert.Contains("rest_client_dns_resolution_duration_seconds host=api.invalid", seen.All);
        for (Exception? cause = failure; cause is not SocketException; cause = cause.InnerException) Assert.NotNull(cause);
    }

    /// <summary>What one client measures, whatever others do at the same time: it is given its own meter.</summary>
    private sealed class Measurements : IMeterFactory
    {
        private readonly ConcurrentBag<string> _lines = [];
        private readonly ConcurrentDictionary<string, double> _gauges = [];
        private readonly MeterListener _listener = new();
        private Meter? _meter;

        public Measurements()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter, _meter) && instrument.Name.StartsWith("rest_client_", StringComparison.Ordinal)) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        }

        public IEnumerable<string> All => _lines.Order(StringComparer.Ordinal);

        public Meter Create(MeterOptions options)
        {
            _meter = new Meter(options);
            _listener.Start();
            return _meter;
        }

        public double Read(string gauge)
        {
            _listener.RecordObservableInstruments();
            return _gauges[gauge];
        }

        public void Dispose()
        {
            _listener.Dispose();
            _meter?.Dispose();
        }

        private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (instrument.IsObservable)
            {
                _gauges[instrument.Name] = value;
                return;
            }

            var line = instrument.Name;
            foreach (var (name, label) in tags) line += $" {name}={label}";
            if (instrument.Name.EndsWith("_size_bytes", StringComparison.Ordinal)) line += $" empty={value == 0}";
            if (instrument.Name.EndsWith("_total", StringComparison.Ordinal)) line += $" {value}";
            _lines.Add(line);
        }
    }
}
