using System.Diagnostics.Metrics;

namespace KubeProxy.Host.Metrics;

/// <summary>The buckets of histograms: the instrument's own advice, or upstream's for durations.</summary>
internal static class MetricBuckets
{
    /// <summary>0.001 s, doubled 14 times.</summary>
    public static double[] Exponential { get; } = [.. Enumerable.Range(0, 15).Select(i => 0.001 * Math.Pow(2, i))];

    /// <summary>0.25, 0.5, then 1 to 59 by 1, 60 to 115 by 5, 120 to 300 by 30 (seconds).</summary>
    public static double[] NetworkProgramming { get; } =
    [
        0.25, 0.5,
        .. Enumerable.Range(1, 59).Select(i => (double)i),
        .. Enumerable.Range(0, 12).Select(i => 60.0 + (5 * i)),
        .. Enumerable.Range(0, 7).Select(i => 120.0 + (30 * i)),
    ];

    public static double[] Of(Instrument instrument)
    {
        IReadOnlyCollection<double>? advised = instrument switch
        {
            Histogram<double> histogram => histogram.Advice?.HistogramBucketBoundaries,
            Histogram<long> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound).ToArray(),
            Histogram<int> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound).ToArray(),
            _ => null,
        };
        if (advised is { Count: > 0 }) return [.. advised.Order()];
        return instrument.Name == "kubeproxy_network_programming_duration_seconds" ? NetworkProgramming : Exponential;
    }
}
