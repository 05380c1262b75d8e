using System.Diagnostics.Metrics;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Sync;

/// <summary>
/// The instruments of the meter <c>KubeProxy</c>. Names, units and labels are upstream's where it has the same thing; those
/// about queueing, planning, committing, repairs and quarantine are ours.
/// </summary>
internal sealed class ProxyMetrics : IDisposable
{
    public const string MeterName = "KubeProxy";

    private static readonly double[] Exponential = [.. Enumerable.Range(0, 15).Select(i => 0.001 * (1 << i))];

    private static readonly double[] Programming =
    [
        0.25, 0.5,
        .. Enumerable.Range(1, 59).Select(i => (double)i),
        .. Enumerable.Range(0, 12).Select(i => 60.0 + 5 * i),
        .. Enumerable.Range(0, 7).Select(i => 120.0 + 30 * i),
    ];

    private readonly Meter _meter;
    private readonly bool _ownsMeter;

    public ProxyMetrics(IMeterFactory? factory)
    {
        _ownsMeter = factory is null;
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        SyncDuration = Seconds("kubeproxy_sync_proxy_rules_duration_seconds", "Time of one sync.", Exponential);
        FullSyncDuration = Seconds("kubeproxy_sync_full_proxy_rules_duration_seconds",
            "Time of one sync that compares everything with the kernel: the first one, and the periodic check.", Exponential);
        PartialSyncDuration = Seconds("kubeproxy_sync_partial_proxy_rules_duration_seconds", "Time of one sync of what changed.", Exponential);
        QueueDuration = Seconds("kubeproxy_sync_queue_duration_seconds", "Time that the oldest change waited for its sync.", Exponential);
        PlanDuration = Seconds("kubeproxy_sync_plan_duration_seconds", "Time to plan what changed.", Exponential);
        CommitDuration = Seconds("kubeproxy_sync_commit_duration_seconds", "Time spent waiting for the kernel in one sync.", Exponential);
        ProgrammingDuration = Seconds("kubeproxy_network_programming_duration_seconds",
            "Time from the change of an endpoint in the cluster to the kernel of this node.", Programming);
        LastSync = _meter.CreateGauge<double>("kubeproxy_sync_proxy_rules_last_timestamp_seconds", "s",
            "Unix time of the last successful sync.");
        LastQueued = _meter.CreateGauge<double>("kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds", "s",
            "Unix time of the last request to sync.");
        NoLocalEndpoints = _meter.CreateGauge<int>("kubeproxy_sync_proxy_rules_no_local_endpoints_total", null,
            "Service ports with policy Local whose endpoints are all on other nodes.");
        Quarantined = _meter.CreateGauge<int>("kubeproxy_sync_quarantined_service_ports", null,
            "Service ports that are refused and left out.");
        Failures = _meter.CreateCounter<long>("kubeproxy_sync_failures_total", null, "Syncs that failed.");
        Operations = _meter.CreateCounter<long>("kubeproxy_sync_operations_total", null, "Kernel objects written or deleted.");
        Repairs = _meter.CreateCounter<long>("kubeproxy_sync_repairs_total", null, "Kernel objects that others had changed.");
        FlowDuration = Seconds("kubeproxy_conntrack_reconciler_sync_duration_seconds",
            "Time to find and delete stale conntrack entries after a change of UDP services.", Exponential);
        DeletedFlows = _meter.CreateCounter<long>("kubeproxy_conntrack_reconciler_deleted_entries_total", null,
            "Stale conntrack entries deleted.");
    }

    public Histogram<double> SyncDuration { get; }

    public Histogram<double> FullSyncDuration { get; }

    public Histogram<double> PartialSyncDuration { get; }

    public Histogram<double> FlowDuration { get; }

    public Histogram<double> QueueDuration { get; }

    public Histogram<double> PlanDuration { get; }

    public Histogram<double> CommitDuration { get; }

    public Histogram<double> ProgrammingDuration { get; }

    public Gauge<double> LastSync { get; }

    public Gauge<double> LastQueued { get; }

    public Gauge<int> NoLocalEndpoints { get; }

    public Gauge<int> Quarantined { get; }

    public Counter<long> Failures { get; }

    public Counter<long> Operations { get; }

    public Counter<long> Repairs { get; }

    public Counter<long> DeletedFlows { get; }

    public static KeyValuePair<string, object?> Tag(IpFamily family) => new("ip_family", family == IpFamily.IPv4 ? "IPv4" : "IPv6");

    public static KeyValuePair<string, object?> TrafficPolicy(string policy) => new("traffic_policy", policy);

    /// <summary>Instruments that read the state only when somebody asks.</summary>
    public void Observe(Func<ProxyCounts> counts)
    {
        _meter.CreateObservableGauge("kubeproxy_sync_proxy_rules_service_changes_pending", () => counts().PendingServices, null,
            "Services changed and not yet taken by a sync.");
        _meter.CreateObservableGauge("kubeproxy_sync_proxy_rules_endpoint_changes_pending", () => counts().PendingEndpoints, null,
            "Services whose endpoints changed and are not yet taken by a sync.");
        _meter.CreateObservableCounter("kubeproxy_sync_proxy_rules_service_changes_total", () => counts().ServiceChanges, null,
            "Changes of Services.");
        _meter.CreateObservableCounter("kubeproxy_sync_proxy_rules_endpoint_changes_total", () => counts().EndpointChanges, null,
            "Changes of EndpointSlices.");
        _meter.CreateObservableGauge("kubeproxy_object_problems", () => counts().Problems, null, "Things in objects that cannot be used.");
    }

    /// <summary>A meter of a factory belongs to the factory.</summary>
    public void Dispose()
    {
        if (_ownsMeter) _meter.Dispose();
    }

    private Histogram<double> Seconds(string name, string description, double[] buckets) =>
        _meter.CreateHistogram(name, "s", description, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = buckets });
}
