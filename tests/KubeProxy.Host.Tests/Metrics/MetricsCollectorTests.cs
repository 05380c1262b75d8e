using System.Diagnostics.Metrics;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Metrics;

namespace KubeProxy.Host.Tests.Metrics;

public sealed class MetricsCollectorTests : IDisposable
{
    private readonly Meter _meter = new($"Test.{Guid.NewGuid()}");

    public void Dispose() => _meter.Dispose();

    private MetricsCollector Collector() => new(meter => meter == _meter);

    [Fact]
    public void Counters_and_gauges_have_their_types_and_labels()
    {
        using var collector = Collector();
        var counter = _meter.CreateCounter<long>("kubeproxy_b_total", null, "Back\\slash\nand line.");
        var gauge = _meter.CreateGauge<double>("a_gauge", null, "A gauge.");
        var upDown = _meter.CreateUpDownCounter<int>("c.updown");
        counter.Add(2, new KeyValuePair<string, object?>("code", 200));
        counter.Add(3, new KeyValuePair<string, object?>("code", 200));
        counter.Add(1, new KeyValuePair<string, object?>("code", "5\"0\\3\n"));
        gauge.Record(1.5);
        gauge.Record(2.5);
        upDown.Add(5);
        upDown.Add(-2);
        Assert.Equal(
            """
            # HELP a_gauge A gauge.
            # TYPE a_gauge gauge
            a_gauge 2.5
            # HELP c_updown 
            # TYPE c_updown gauge
            c_updown 3
            # HELP kubeproxy_b_total [ALPHA] Back\\slash\nand line.
            # TYPE kubeproxy_b_total counter
            kubeproxy_b_total{code="200"} 5
            kubeproxy_b_total{code="5\"0\\3\n"} 1

            """.ReplaceLineEndings("\n"),
            collector.Collect());
    }

    [Fact]
    public void Histograms_cumulate_their_buckets()
    {
        using var collector = Collector();
        var histogram = _meter.CreateHistogram("h_seconds", "s", "H.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1, 2.5] });
        foreach (var value in (double[])[0.25, 0.5, 0.75, 3]) histogram.Record(value, new KeyValuePair<string, object?>("ip_family", "IPv4"));
        Assert.Equal(
            """
            # HELP h_seconds H.
            # TYPE h_seconds histogram
            h_seconds_bucket{ip_family="IPv4",le="0.5"} 2
            h_seconds_bucket{ip_family="IPv4",le="1"} 3
            h_seconds_bucket{ip_family="IPv4",le="2.5"} 3
            h_seconds_bucket{ip_family="IPv4",le="+Inf"} 4
            h_seconds_sum{ip_family="IPv4"} 4.5
            h_seconds_count{ip_family="IPv4"} 4

            """.ReplaceLineEndings("\n"),
            collector.Collect());
    }

    [Fact]
    public void Observable_instruments_show_what_they_say_now()
    {
        using var collector = Collector();
        var values = new List<Measurement<int>> { new(1, new KeyValuePair<string, object?>("x", "a")), new(2, new KeyValuePair<string, object?>("x", "b")) };
        _meter.CreateObservableGauge("g", () => values);
        Assert.Contains("g{x=\"b\"} 2\n", collector.Collect(), StringComparison.Ordinal);
        values.RemoveAt(1);
        Assert.DoesNotContain("x=\"b\"", collector.Collect(), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_advice_durations_have_the_usual_buckets()
    {
        using var collector = Collector();
        _meter.CreateHistogram<double>("d_seconds").Record(20);
        _meter.CreateHistogram<double>("kubeproxy_network_programming_duration_seconds").Record(20);
        var lines = collector.Collect().Split('\n');
        Assert.Equal(16, lines.Count(line => line.StartsWith("d_seconds_bucket", StringComparison.Ordinal)));
        Assert.Contains("d_seconds_bucket{le=\"16.384\"} 0", lines);
        Assert.Equal(2 + 59 + 12 + 7 + 1, lines.Count(line => line.StartsWith("kubeproxy_network_programming_duration_seconds_bucket", StringComparison.Ordinal)));
    }

    [Fact]
    public void Other_meters_are_left_out()
    {
        using var collector = Collector();
        using var other = new Meter("Other");
        other.CreateCounter<int>("other").Add(1);
        Assert.Empty(collector.Collect());
    }

    [Fact]
    public void The_process_describes_itself()
    {
        using var collector = new MetricsCollector(meter => meter.Name is ProcessInstruments.MeterName or "KubeProxy.Version" or "KubeProxy.Runtime");
        using var instruments = new ProcessInstruments();
        using var runtime = new RuntimeInstruments();
        using var version = new VersionInstruments(new KubeProxyConfiguration { FeatureGates = { ["AllAlpha"] = true, ["CBORServingAndStorage"] = false } });
        var text = collector.Collect();
        Assert.Matches("(?m)^process_resident_memory_bytes [1-9]", text);
        Assert.Matches("(?m)^process_open_fds [1-9]", text);
        Assert.Matches("(?m)^dotnet_gc_heap_bytes [1-9]", text);
        Assert.Contains("kubernetes_feature_enabled{name=\"LoggingAlphaOptions\",stage=\"ALPHA\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kubernetes_feature_enabled{name=\"CBORServingAndStorage\",stage=\"ALPHA\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("kubernetes_build_info{major=\"1\",minor=\"37\"", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1e21, "1e+21")]
    [InlineData(0.001, "0.001")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    public void Numbers_are_in_the_text_format(double value, string text) => Assert.Equal(text, PrometheusText.Number(value));
}
