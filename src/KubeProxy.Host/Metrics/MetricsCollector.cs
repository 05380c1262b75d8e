using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Prometheus;

namespace KubeProxy.Host.Metrics;

/// <summary>
/// Listens to System.Diagnostics.Metrics instruments and keeps their values in a registry of prometheus-net for <c>/metrics</c>. Only
/// instruments of the meters chosen are listened to.
/// </summary>
/// <remarks>
/// prometheus-net's own MeterAdapter is not used: it prefixes the name of the meter, makes gauges of counters, knows no
/// <see cref="Gauge{T}"/> and ignores the buckets that an instrument advises.
/// </remarks>
internal sealed class MetricsCollector : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, ExportedInstrument> _instruments = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _collecting = new(1);
    private CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private IMetricFactory _factory;

    /// <summary>Starts to listen.</summary>
    /// <param name="isWanted">Chooses meters.</param>
    public MetricsCollector(Func<Meter, bool> isWanted)
    {
        _factory = Prometheus.Metrics.WithCustomRegistry(_registry);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!isWanted(instrument.Meter)) return;
            var exported = _instruments.GetOrAdd(instrument.Name, _ => new ExportedInstrument(instrument, _factory));
            listener.EnableMeasurementEvents(instrument, exported);
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((ExportedInstrument)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, state) => ((ExportedInstrument)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((ExportedInstrument)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((ExportedInstrument)state!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>Writes all values as they are now.</summary>
    /// <param name="to">Where to.</param>
    /// <param name="format">The format.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task WriteAsync(Stream to, ExpositionFormat format, CancellationToken cancellationToken)
    {
        await _collecting.WaitAsync(cancellationToken);
        try
        {
            foreach (var instrument in _instruments.Values) instrument.BeginObservation();
            // Not by a callback of the registry, which would swallow what an instrument throws.
            _listener.RecordObservableInstruments();
            foreach (var instrument in _instruments.Values) instrument.EndObservation();
            await _registry.CollectAndExportAsTextAsync(to, format, cancellationToken);
        }
        finally
        {
            _collecting.Release();
        }
    }

    /// <summary>Forgets all values.</summary>
    public async Task ResetAsync(CancellationToken cancellationToken)
    {
        await _collecting.WaitAsync(cancellationToken);
        try
        {
            _registry = Prometheus.Metrics.NewCustomRegistry();
            _factory = Prometheus.Metrics.WithCustomRegistry(_registry);
            foreach (var instrument in _instruments.Values) instrument.Move(_factory);
        }
        finally
        {
            _collecting.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        _collecting.Dispose();
    }
}
