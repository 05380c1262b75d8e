using System.Diagnostics.Metrics;
using System.Text;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Metrics;
using Prometheus;

namespace KubeProxy.Host.Tests.Metrics;

public sealed class MetricsCollectorTests : IDisposable
{
    private readonly Meter _meter = new($"Test.{Guid.NewGuid()}");

    public void Dispose() => _meter.Dispose();

    private MetricsCollector Collector() => new(meter => meter == _meter);

    [Fact]
    public async Task Counters_and_gauges_have_their_types_and_labels()
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
            # HELP kubeproxy_b_total [ALPHA] Back\\slash\nand line.
            # TYPE kubeproxy_b_total counter
            kubeproxy_b_total{code="200"} 5
            kubeproxy_b_total{code="5\"0\\3\n"} 1
            # HELP a_gauge A gauge.
            # TYPE a_gauge gauge
            a_gauge 2.5
            # HELP c_updown 
            # TYPE c_updown gauge
            c_updown 3

            """.ReplaceLineEndings("\n"),
            await TextAsync(collector));
    }

    [Fact]
    public async Task Histograms_cumulate_their_buckets()
    {
        using var collector = Collector();
        var histogram = _meter.CreateHistogram("h_seconds", "s", "H.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1, 2.5] });
        foreach (var value in (double[])[0.25, 0.5, 0.75, 3]) histogram.Record(value, new KeyValuePair<string, object?>("ip_family", "IPv4"));
        Assert.Equal(
            """
            # HELP h_seconds H.
            # TYPE h_seconds histogram
            h_seconds_sum{ip_family="IPv4"} 4.5
            h_seconds_count{ip_family="IPv4"} 4
            h_seconds_bucket{ip_family="IPv4",le="0.5"} 2
            h_seconds_bucket{ip_family="IPv4",le="1"} 3
            h_seconds_bucket{ip_family="IPv4",le="2.5"} 3
            h_seconds_bucket{ip_family="IPv4",le="+Inf"} 4

            """.ReplaceLineEndings("\n"),
            await TextAsync(collector));
    }

    [Fact]
    public async Task Observable_instruments_show_what_they_say_now()
    {
        using var collector = Collector();
        var values = new List<Measurement<int>> { new(1, new KeyValuePair<string, object?>("x", "a")), new(2, new KeyValuePair<string, object?>("x", "b")) };
        _meter.CreateObservableGauge("g", () => values);
        Assert.Contains("g{x=\"b\"} 2\n", await TextAsync(collector), StringComparison.Ordinal);
        values.RemoveAt(1);
        Assert.DoesNotContain("x=\"b\"", await TextAsync(collector), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_advice_durations_have_the_usual_buckets()
    {
        using var collector = Collector();
        _meter.CreateHistogram<double>("d_seconds").Record(20);
        _meter.CreateHistogram<double>("kubeproxy_network_programming_duration_seconds").Record(20);
        var lines = (await TextAsync(collector)).Split('\n');
        Assert.Equal(16, lines.Count(line => line.StartsWith("d_seconds_bucket", StringComparison.Ordinal)));
        Assert.Contains("d_seconds_bucket{le=\"16.384\"} 0", lines);
        Assert.Equal(2 + 59 + 12 + 7 + 1, lines.Count(line => line.StartsWith("kubeproxy_network_programming_duration_seconds_bucket", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Other_meters_are_left_out()
    {
        using var collector = Collector();
        using var other = new Meter("Other");
        other.CreateCounter<int>("other").Add(1);
        Assert.Empty(await TextAsync(collector));
    }

    [Fact]
    public async Task The_process_describes_itself()
    {
        using var collector = new MetricsCollector(meter => meter.Name is ProcessInstruments.MeterName or "KubeProxy.Version" or "KubeProxy.Runtime");
        using var instruments = new ProcessInstruments();
        using var runtime = new RuntimeInstruments();
        using var version = new VersionInstruments(new KubeProxyConfiguration { FeatureGates = { ["AllAlpha"] = true, ["CBORServingAndStorage"] = false } });
        var text = await TextAsync(collector);
        Assert.Matches("(?m)^process_resident_memory_bytes [1-9]", text);
        Assert.Matches("(?m)^process_open_fds [1-9]", text);
        Assert.Matches("(?m)^dotnet_gc_heap_bytes [1-9]", text);
        Assert.Contains("kubernetes_feature_enabled{name=\"LoggingAlphaOptions\",stage=\"ALPHA\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kubernetes_feature_enabled{name=\"CBORServingAndStorage\",stage=\"ALPHA\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("kubernetes_build_info{major=\"1\",minor=\"37\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_counter_that_is_observed_may_come_and_go_and_other_things_stay_as_they_are()
    {
        using var collector = Collector();
        var values = new List<Measurement<long>> { new(7) };
        _meter.CreateObservableCounter("seen_total", () => values);
        _meter.CreateCounter<int>("unused_total");
        Assert.Equal("# HELP seen_total \n# TYPE seen_total counter\nseen_total 7\n", await TextAsync(collector));
        values[0] = new(9);
        Assert.Contains("seen_total 9\n", await TextAsync(collector), StringComparison.Ordinal);
        values.Clear();
        Assert.DoesNotContain("seen_total 9", await TextAsync(collector), StringComparison.Ordinal);
        values.Add(new(11));
        Assert.Contains("seen_total 11\n", await TextAsync(collector), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Labels_may_come_in_any_order_and_those_of_the_first_measurement_count()
    {
        using var collector = Collector();
        var counter = _meter.CreateCounter<int>("orders_total");
        KeyValuePair<string, object?> a = new("a", 1), b = new("b.b", "x"), c = new("c", true);
        counter.Add(1, a, b);
        counter.Add(1, b, a);
        counter.Add(1, a);
        counter.Add(1, a, b, c);
        var lines = (await TextAsync(collector)).Split('\n');
        Assert.Contains("orders_total{a=\"1\",b_b=\"x\"} 3", lines);
        Assert.Contains("orders_total{a=\"1\",b_b=\"\"} 1", lines);
    }

    [Fact]
    public async Task A_reset_forgets_everything_and_counting_goes_on()
    {
        using var collector = Collector();
        var counter = _meter.CreateCounter<int>("runs_total");
        counter.Add(5);
        await collector.ResetAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", await TextAsync(collector));
        counter.Add(2);
        Assert.Contains("runs_total 2\n", await TextAsync(collector), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_instrument_that_throws_fails_the_scrape_and_not_the_next()
    {
        using var collector = Collector();
        var fails = true;
        _meter.CreateObservableGauge("g", () => fails ? throw new InvalidOperationException("not now") : 1);
        await Assert.ThrowsAnyAsync<Exception>(() => TextAsync(collector));
        fails = false;
        Assert.Contains("g 1\n", await TextAsync(collector), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_metrics_names_counters_without_their_ending_and_ends_with_its_mark()
    {
        using var collector = Collector();
        _meter.CreateCounter<int>("runs_total", null, "Runs.").Add(2);
        _meter.CreateGauge<double>("level", null, "Level.").Record(double.PositiveInfinity);
        using var body = new MemoryStream();
        await collector.WriteAsync(body, ExpositionFormat.OpenMetricsText, TestContext.Current.CancellationToken);
        Assert.Equal("# HELP runs Runs.\n# TYPE runs counter\nruns_total 2.0\n# HELP level Level.\n# TYPE level gauge\nlevel +Inf\n# EOF\n", Encoding.UTF8.GetString(body.ToArray()));
    }

    [Fact]
    public async Task Measurements_from_many_threads_are_all_counted()
    {
        using var collector = Collector();
        var counter = _meter.CreateCounter<long>("parallel_total");
        Parallel.For(0, 10_000, i => counter.Add(1, new KeyValuePair<string, object?>("x", i % 3)));
        var lines = (await TextAsync(collector)).Split('\n').Where(line => line.StartsWith("parallel_total{", StringComparison.Ordinal));
        Assert.Equal(10_000, lines.Sum(line => int.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static async Task<string> TextAsync(MetricsCollector collector)
    {
        using var body = new MemoryStream();
        await collector.WriteAsync(body, ExpositionFormat.PrometheusText, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(body.ToArray());
    }
}
