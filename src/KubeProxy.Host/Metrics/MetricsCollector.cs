using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace KubeProxy.Host.Metrics;

/// <summary>
/// Listens to System.Diagnostics.Metrics instruments and keeps their values for <c>/metrics</c>. Only instruments of the
/// meters chosen are listened to.
/// </summary>
public sealed class MetricsCollector : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly Lock _collecting = new();

    /// <summary>Starts to listen.</summary>
    /// <param name="isWanted">Chooses meters.</param>
    public MetricsCollector(Func<Meter, bool> isWanted)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!isWanted(instrument.Meter)) return;
            var family = _families.GetOrAdd(instrument.Name, static (_, published) => new MetricFamily(published), instrument);
            listener.EnableMeasurementEvents(instrument, family);
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>All values now, in the Prometheus text format, ordered by name.</summary>
    public string Collect()
    {
        lock (_collecting)
        {
            foreach (var family in _families.Values) family.BeginObservation();
            _listener.RecordObservableInstruments();
            var text = new StringBuilder(16 * 1024);
            foreach (var family in _families.Values.OrderBy(family => family.Name, StringComparer.Ordinal)) PrometheusText.Append(text, family);
            return text.ToString();
        }
    }

    /// <summary>Forgets all values.</summary>
    public void Reset()
    {
        lock (_collecting)
        {
            foreach (var family in _families.Values) family.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();
}
