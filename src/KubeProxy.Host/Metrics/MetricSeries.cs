namespace KubeProxy.Host.Metrics;

/// <summary>The value of one combination of labels; thread-safe.</summary>
internal sealed class MetricSeries(string labels, double[] bounds)
{
    private readonly Lock _lock = new();
    private readonly ulong[] _counts = new ulong[bounds.Length + 1];
    private double _value;
    private ulong _count;

    /// <summary>The labels as Prometheus text without braces; empty for none.</summary>
    public string Labels => labels;

    /// <summary>Upper bounds of the buckets, ascending, without infinity.</summary>
    public double[] Bounds => bounds;

    public void Add(double value)
    {
        lock (_lock) _value += value;
    }

    public void Set(double value)
    {
        lock (_lock) _value = value;
    }

    public void Observe(double value)
    {
        var index = Array.BinarySearch(bounds, value);
        lock (_lock)
        {
            _counts[index < 0 ? ~index : index]++;
            _count++;
            _value += value;
        }
    }

    /// <summary>The value (or the sum of a histogram), the count, and the cumulated counts of the buckets.</summary>
    public (double Value, ulong Count, ulong[] Cumulated) Read()
    {
        lock (_lock)
        {
            var cumulated = new ulong[bounds.Length];
            var sum = 0UL;
            for (var i = 0; i < cumulated.Length; i++) cumulated[i] = sum += _counts[i];
            return (_value, _count, cumulated);
        }
    }
}
