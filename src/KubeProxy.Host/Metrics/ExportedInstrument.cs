using System.Diagnostics.Metrics;
using System.Globalization;
using Prometheus;

namespace KubeProxy.Host.Metrics;

/// <summary>
/// An instrument of System.Diagnostics.Metrics as a metric of prometheus-net, under its own name and with its own type. The names of the
/// labels are those of the first measurement, because a metric cannot have others later: a label that is missing then is empty, which
/// to Prometheus is the same, and one that is new is left out.
/// </summary>
internal sealed class ExportedInstrument
{
    // The library makes no series before the first measurement only if it is told so, and forgets none unless it is asked to.
    private readonly Instrument _instrument;
    private readonly MetricKind _kind;
    private readonly Lock _gate = new();
    private readonly HashSet<ChildBase> _seen = [];
    private IMetricFactory _factory;
    private Metric? _metric;

    /// <param name="instrument">The instrument.</param>
    /// <param name="factory">Makes the metric, with the first measurement.</param>
    public ExportedInstrument(Instrument instrument, IMetricFactory factory) => (_instrument, _kind, _factory) = (instrument, MetricKinds.Of(instrument), factory);

    /// <summary>Takes a measurement.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_gate)
        {
            _metric ??= Metric.Create(_instrument, _kind, _factory, tags);
            var child = _metric.Of(tags);
            switch (child)
            {
                case Counter.Child counter when _kind == MetricKind.Total: counter.IncTo(value); break;
                case Counter.Child counter: counter.Inc(value); break;
                case Gauge.Child gauge when _kind == MetricKind.Change: gauge.Inc(value); break;
                case Gauge.Child gauge: gauge.Set(value); break;
                case Histogram.Child histogram: histogram.Observe(value); break;
            }

            if (_instrument.IsObservable) _seen.Add(child);
        }
    }

    /// <summary>Before observable instruments are asked.</summary>
    public void BeginObservation()
    {
        lock (_gate) _seen.Clear();
    }

    /// <summary>Afterwards: forgets the series that were not reported again.</summary>
    public void EndObservation()
    {
        if (!_instrument.IsObservable) return;
        lock (_gate) _metric?.RemoveAllBut(_seen);
    }

    /// <summary>Forgets everything, and goes on in another registry.</summary>
    public void Move(IMetricFactory factory)
    {
        lock (_gate) (_factory, _metric) = (factory, null);
    }

    /// <summary>The metric, and the names of its labels in their order.</summary>
    private sealed class Metric(string[] names, Func<string[], ChildBase> find)
    {
        private readonly Dictionary<string, ChildBase> _children = new(StringComparer.Ordinal);
        private readonly string[] _values = new string[names.Length];

        public static Metric Create(Instrument instrument, MetricKind kind, IMetricFactory factory, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var (name, help) = (MetricNames.Metric(instrument.Name), MetricNames.Help(instrument));
            var tagNames = new string[tags.Length];
            for (var i = 0; i < tags.Length; i++) tagNames[i] = tags[i].Key;
            string[] labels = [.. tagNames.Select(MetricNames.Label)];
            Func<string[], ChildBase> find = kind switch
            {
                MetricKind.Addition or MetricKind.Total =>
                    factory.CreateCounter(name, help, labels, new CounterConfiguration { SuppressInitialValue = true }).WithLabels,
                MetricKind.Observation =>
                    factory.CreateHistogram(name, help, labels, new HistogramConfiguration { SuppressInitialValue = true, Buckets = MetricBuckets.Of(instrument) }).WithLabels,
                _ => factory.CreateGauge(name, help, labels, new GaugeConfiguration { SuppressInitialValue = true }).WithLabels,
            };
            return new Metric(tagNames, find);
        }

        public ChildBase Of(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            for (var i = 0; i < names.Length; i++) _values[i] = ValueOf(names[i], tags, i);
            var key = string.Join('\0', _values);
            if (_children.TryGetValue(key, out var child)) return child;
            child = find([.. _values]);
            child.Publish();
            return _children[key] = child;
        }

        public void RemoveAllBut(HashSet<ChildBase> kept)
        {
            if (_children.Count == kept.Count) return;
            foreach (var (key, child) in _children)
            {
                if (kept.Contains(child)) continue;
                _children.Remove(key);
                if (names.Length == 0) child.Unpublish(); // There is only this one.
                else child.Remove();
            }
        }

        // Tags nearly always come in the same order.
        private static string ValueOf(string name, ReadOnlySpan<KeyValuePair<string, object?>> tags, int place)
        {
            if (place < tags.Length && tags[place].Key == name) return Text(tags[place].Value);
            foreach (var (key, value) in tags)
                if (key == name) return Text(value);
            return "";
        }

        private static string Text(object? value) => value as string ?? Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
    }
}
