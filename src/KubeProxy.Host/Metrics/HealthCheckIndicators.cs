using System.Diagnostics.Metrics;

namespace KubeProxy.Host.Metrics;

/// <summary>How health checks ended, for <c>/metrics/slis</c>, apart from the other metrics and under upstream's names.</summary>
internal sealed class HealthCheckIndicators : IDisposable
{
    private readonly Meter _meter = new("Kubernetes.HealthChecks");
    private readonly MetricsCollector _collector;
    private readonly Gauge<int> _last;
    private readonly Counter<long> _total;

    public HealthCheckIndicators()
    {
        _collector = new MetricsCollector(meter => meter == _meter);
        _last = _meter.CreateGauge<int>("kubernetes_healthcheck", null, "[STABLE] Result of the last run of a health check: 1 success, 0 failure.");
        _total = _meter.CreateCounter<long>("kubernetes_healthchecks_total", null, "[STABLE] Runs of health checks, by result.");
    }

    /// <summary>A check succeeded.</summary>
    /// <param name="name">The check.</param>
    /// <param name="type">The endpoint that ran it.</param>
    public void Succeed(string name, string type)
    {
        _last.Record(1, new("name", name), new("type", type));
        _total.Add(1, new("name", name), new("type", type), new("status", "success"));
    }

    /// <summary>The values.</summary>
    public MetricsCollector Metrics => _collector;

    public void Dispose()
    {
        _collector.Dispose();
        _meter.Dispose();
    }
}
