using System.Diagnostics;
using System.Diagnostics.Metrics;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>
/// The instruments of the meter <c>KubeProxy.Relay</c>. Those of service ports are tagged with <c>namespace</c>, <c>service</c>,
/// <c>port</c>, <c>protocol</c> and <c>ip_family</c>, and are reported for those that have been used.
/// </summary>
internal sealed class RelayMetrics : IDisposable
{
    public const string MeterName = "KubeProxy.Relay";
    public const string ConnectionLimit = "connection-limit";
    public const string FlowLimit = "flow-limit";
    public const string Exhaustion = "exhaustion";
    public const string NoFrontend = "no-frontend";

    private static readonly double[] DialBuckets =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly Histogram<double> _dials;
    private readonly Counter<long> _refused;
    private readonly IpFamily _family;

    public RelayMetrics(IMeterFactory? factory, IpFamily family)
    {
        _family = family;
        _ownsMeter = factory is null;
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _dials = _meter.CreateHistogram("kubeproxy_relay_dial_duration_seconds", "s",
            "Time until an endpoint accepted a connection.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = DialBuckets });
        _refused = _meter.CreateCounter<long>("kubeproxy_relay_refused_total", null,
            "Connections and datagrams that were not relayed, by the reason, and pauses for lack of descriptors or memory.");
    }

    /// <summary>Adds the instruments that are read when somebody asks.</summary>
    public void Observe(Func<IEnumerable<RelayService>> services, Func<int> connections, Func<int> flows, Func<int> listeners)
    {
        ArgumentNullException.ThrowIfNull(services);
        CounterOf("kubeproxy_relay_connections_total", "Connections, and UDP flows, that were relayed.", c => c.Connections);
        CounterOf("kubeproxy_relay_received_bytes_total", "Bytes from clients, sent to endpoints.", c => c.BytesToEndpoints);
        CounterOf("kubeproxy_relay_sent_bytes_total", "Bytes from endpoints, sent to clients.", c => c.BytesToClients);
        CounterOf("kubeproxy_relay_dial_failures_total", "Attempts to reach an endpoint that failed.", c => c.DialFailures);
        CounterOf("kubeproxy_relay_undelivered_total", "Connections and datagrams for which no endpoint could be reached.", c => c.Undelivered);
        _meter.CreateObservableGauge("kubeproxy_relay_active_connections", () => Read(services, c => c.Active), null,
            "Connections, and UDP flows, that are relayed now.");
        _meter.CreateObservableGauge("kubeproxy_relay_affinity_clients", () =>
            from service in services()
            where service.AffinityClientCount > 0
            select new Measurement<long>(service.AffinityClientCount, Tags(service)), null, "Clients remembered for session affinity.");
        _meter.CreateObservableGauge("kubeproxy_relay_tcp_connections", () => new Measurement<int>(connections(), Family), null,
            "TCP connections that are relayed now.");
        _meter.CreateObservableGauge("kubeproxy_relay_udp_flows", () => new Measurement<int>(flows(), Family), null,
            "UDP flows that are relayed now.");
        _meter.CreateObservableGauge("kubeproxy_relay_listeners", () => new Measurement<int>(listeners(), Family), null,
            "Listening sockets, and sockets that answer for UDP frontends.");

        void CounterOf(string name, string description, Func<RelayCounters, long> value) =>
            _meter.CreateObservableCounter(name, () => Read(services, value), null, description);
    }

    /// <summary>An endpoint accepted a connection.</summary>
    public void Dialed(RelayService service, TimeSpan duration)
    {
        if (_dials.Enabled) _dials.Record(duration.TotalSeconds, Tags(service));
    }

    /// <summary>Something was not relayed.</summary>
    public void Refused(string reason) => _refused.Add(1, new("reason", reason), Family);

    /// <summary>A connection came to the relay that no frontend explains: the service went a moment ago, or a local process.</summary>
    public void UnknownDestination() => Refused(NoFrontend);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownsMeter) _meter.Dispose();
    }

    private KeyValuePair<string, object?> Family => new("ip_family", _family == IpFamily.IPv4 ? "IPv4" : "IPv6");

    private static IEnumerable<Measurement<long>> Read(Func<IEnumerable<RelayService>> services, Func<RelayCounters, long> value) =>
        from service in services()
        where service.Counters.Connections > 0 || service.Counters.Undelivered > 0
        select new Measurement<long>(value(service.Counters), Tags(service));

    private static TagList Tags(RelayService service) => new()
    {
        { "namespace", service.Name.Service.Namespace },
        { "service", service.Name.Service.Name },
        { "port", service.Name.PortName },
        { "protocol", service.Name.Protocol.ToLowerName() },
        { "ip_family", service.Family == IpFamily.IPv4 ? "IPv4" : "IPv6" },
    };
}
