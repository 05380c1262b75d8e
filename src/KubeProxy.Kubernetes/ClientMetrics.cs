using System.Diagnostics.Metrics;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Instruments of the API client in the meter <c>KubeProxy</c>. Names, labels and buckets of <c>rest_client_*</c> are upstream's.
/// </summary>
internal sealed class ClientMetrics : IDisposable
{
    private const string MeterName = "KubeProxy";

    private static readonly double[] Seconds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
    private static readonly double[] LookupSeconds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30];
    private static readonly double[] Bytes =
        [64, 256, 512, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20];

    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly KeyValuePair<string, object?> _host;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _transports;
    private readonly Histogram<double> _resolution;
    private readonly Histogram<double> _requestDuration;
    private readonly Histogram<double> _limiterDuration;
    private readonly Histogram<double> _requestSize;
    private readonly Histogram<double> _responseSize;
    private readonly Counter<long> _plugins;
    private readonly Counter<long> _events;
    private readonly Counter<long> _snapshots;
    private int _keptTransports;

    public ClientMetrics(IMeterFactory? factory, string host)
    {
        _ownsMeter = factory is null;
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _host = new("host", host);
        _requests =
            _meter.CreateCounter<long>("rest_client_requests_total", null,
                "Requests to the API server, by status code, method and host.");
        _retries =
            _meter.CreateCounter<long>("rest_client_request_retries_total", null,
                "Requests to the API server that were repeated, by status code, verb and host.");
        _transports =
            _meter.CreateCounter<long>("rest_client_transport_create_calls_total", null,
                "Requests by where their transport (connections with one set of certificates) came from: "
                + "hit for one that was there, miss for a new one.");
        _meter.CreateObservableGauge("rest_client_transport_cache_entries", () => Volatile.Read(ref _keptTransports), null,
            "Transports kept for further requests.");
        _resolution =
            Histogram("rest_client_dns_resolution_duration_seconds", "s", LookupSeconds,
                "Time to look up the address of a host, by host; an address needs no lookup.");
        _requestDuration =
            Histogram("rest_client_request_duration_seconds", "s", Seconds,
                "Time from a request to the head of its response, by verb and host.");
        _limiterDuration =
            Histogram("rest_client_rate_limiter_duration_seconds", "s", Seconds,
                "Time that a request waited for the client's own rate limit, by verb and host.");
        _requestSize = Histogram("rest_client_request_size_bytes", "By", Bytes, "Size of the bodies of requests, by verb and host.");
        _responseSize =
            Histogram("rest_client_response_size_bytes", "By", Bytes,
                "Size of the bodies of responses, by verb and host; of a watch when it ends.");
        _plugins =
            _meter.CreateCounter<long>("rest_client_exec_plugin_call_total", null,
                "Calls of the credential plugin, by exit code and outcome.");
        _events = _meter.CreateCounter<long>("kubeproxy_api_watch_events_total", null, "Events of watches, by kind and type.");
        _snapshots =
            _meter.CreateCounter<long>("kubeproxy_api_lists_total", null,
                "Complete lists (or streamed initial states), by kind.");
    }

    public void CountRequest(string method, string code) => _requests.Add(1, new("code", code), new("method", method), _host);

    public void CountRetry(string verb, string code) => _retries.Add(1, new("code", code), new("verb", verb), _host);

    public void MeasureRequest(string verb, TimeSpan duration) =>
        _requestDuration.Record(duration.TotalSeconds, new("verb", verb), _host);

    public void MeasureRequestSize(string verb, long bytes) => _requestSize.Record(bytes, new("verb", verb), _host);

    public void MeasureResponseSize(string verb, long bytes) => _responseSize.Record(bytes, new("verb", verb), _host);

    public void MeasureLimiter(string verb, TimeSpan duration) =>
        _limiterDuration.Record(duration.TotalSeconds, new("verb", verb), _host);

    /// <summary>A name was looked up, found or not.</summary>
    public void MeasureResolution(string host, TimeSpan duration) =>
        _resolution.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("host", host));

    /// <summary>A request got its transport.</summary>
    public void CountTransport(bool isNew) =>
        _transports.Add(1, new KeyValuePair<string, object?>("result", isNew ? "miss" : "hit"));

    /// <summary>How many transports are kept now.</summary>
    public void SetTransports(int count) => Volatile.Write(ref _keptTransports, count);

    public void CountPlugin(bool succeeded) =>
        _plugins.Add(1, new("code", succeeded ? "0" : "1"),
            new("call_status", succeeded ? "no_error" : "plugin_execution_error"));

    public void CountEvent(string kind, string type) => _events.Add(1, new("kind", kind), new("type", type));

    public void CountSnapshot(string kind) => _snapshots.Add(1, new KeyValuePair<string, object?>("kind", kind));

    /// <summary>A meter of a factory belongs to the factory.</summary>
    public void Dispose()
    {
        if (_ownsMeter) _meter.Dispose();
    }

    private Histogram<double> Histogram(string name, string unit, double[] buckets, string description) =>
        _meter.CreateHistogram(name, unit, description, null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = buckets });
}
