using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace KubeProxy.Host.Metrics;

/// <summary>How Prometheus sees an instrument.</summary>
internal enum MetricKind
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Any value.</summary>
    Gauge,

    /// <summary>Counts by buckets.</summary>
    Histogram,
}

/// <summary>All series of one metric.</summary>
internal sealed class MetricFamily
{
    private readonly ConcurrentDictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);
    private readonly double[] _bounds;
    private readonly bool _isObserved;

    public MetricFamily(Instrument instrument)
    {
        Name = PrometheusText.MetricName(instrument.Name);
        Help = instrument.Description ?? "";
        (Kind, _isObserved) = Classify(instrument);
        _bounds = Kind == MetricKind.Histogram ? MetricBuckets.Of(instrument) : [];
    }

    public string Name { get; }

    public string Help { get; }

    public MetricKind Kind { get; }

    /// <summary>The series, ordered by labels.</summary>
    public IEnumerable<MetricSeries> Series => _series.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value);

    /// <summary>Takes a measurement.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = Labels(tags);
        var series = _series.GetOrAdd(labels, static (key, bounds) => new MetricSeries(key, bounds), _bounds);
        if (Kind == MetricKind.Histogram) series.Observe(value);
        else if (_isObserved || Kind == MetricKind.Gauge && !IsUpDown) series.Set(value);
        else series.Add(value);
    }

    /// <summary>Forgets all series.</summary>
    public void Clear() => _series.Clear();

    /// <summary>Before observable instruments are asked: forgets series that are then not reported again.</summary>
    public void BeginObservation()
    {
        if (_isObserved) _series.Clear();
    }

    private bool IsUpDown { get; set; }

    private (MetricKind Kind, bool IsObserved) Classify(Instrument instrument)
    {
        var type = instrument.GetType();
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        if (definition == typeof(Counter<>)) return (MetricKind.Counter, false);
        if (definition == typeof(ObservableCounter<>)) return (MetricKind.Counter, true);
        if (definition == typeof(Histogram<>)) return (MetricKind.Histogram, false);
        IsUpDown = definition == typeof(UpDownCounter<>);
        return (MetricKind.Gauge, instrument.IsObservable);
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty) return "";
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            if (text.Length > 0) text.Append(',');
            text.Append(PrometheusText.LabelName(name)).Append("=\"");
            PrometheusText.AppendLabelValue(text, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
            text.Append('"');
        }

        return text.ToString();
    }
}
