using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Composition;
using KubeProxy.Host.Tests.Metrics;

namespace KubeProxy.Host.Tests.Http;

/// <summary>Nothing else runs beside it: meters are the process's, so that a program that is just ending would be asked for values as well.</summary>
[CollectionDefinition(nameof(ProcessWideMeters), DisableParallelization = true)]
public sealed class ProcessWideMeters;

/// <summary>Every page of the metrics server of the running program.</summary>
[Collection(nameof(ProcessWideMeters))]
public sealed class MetricsServerTests : ProgramTests, IAsyncLifetime
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private readonly CancellationTokenSource _stop = new();
    private Task<int> _run = Task.FromResult(0);
    private string _server = "";
    private string _config = "";
    private int _healthz;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var metrics = FreePort();
        _healthz = FreePort();
        _server = $"http://127.0.0.1:{metrics}";
        WriteFile("m/web.yaml", Web(FreePort()));
        var arguments = Arguments(_healthz, metrics, "enableProfiling: true\n");
        _config = arguments[1];
        _run = new ProxyProgram(Parts()).RunAsync([.. arguments, "--v=2"], _stop.Token);
        await EventuallyAsync(_server + "/readyz", HttpStatusCode.OK);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Assert.Equal(0, await _run);
        _stop.Dispose();
        _client.Dispose();
        Dispose();
    }

    private async Task<(HttpStatusCode Status, string Body, HttpResponseMessage Response)> AskAsync(string path, string? accept = null, HttpMethod? method = null, string? content = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, _server + path);
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        if (content is not null) request.Content = new StringContent(content);
        var response = await _client.SendAsync(request, Cancel);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancel), response);
    }

    [Fact]
    public async Task Metrics_are_strictly_in_the_text_format_and_have_upstreams_names_labels_and_buckets()
    {
        await EventuallyAsync($"http://127.0.0.1:{_healthz}/livez", HttpStatusCode.OK);
        await AskAsync("/metrics");
        var families = StrictPrometheusParser.Parse((await AskAsync("/metrics")).Body).ToDictionary(family => family.Name);
        Assert.All(families.Values.Where(family => family.Name.StartsWith("kubeproxy_", StringComparison.Ordinal)), family => Assert.StartsWith("[ALPHA] ", family.Help, StringComparison.Ordinal));
        (string Name, string Labels)[] expected =
        [
            ("kubeproxy_sync_proxy_rules_duration_seconds", "ip_family"), ("kubeproxy_sync_full_proxy_rules_duration_seconds", "ip_family"),
            ("kubeproxy_sync_proxy_rules_last_timestamp_seconds", "ip_family"), ("kubeproxy_sync_proxy_rules_endpoint_changes_pending", ""),
            ("kubeproxy_sync_proxy_rules_endpoint_changes_total", ""), ("kubeproxy_sync_proxy_rules_service_changes_pending", ""),
            ("kubeproxy_sync_proxy_rules_service_changes_total", ""), ("kubeproxy_sync_proxy_rules_no_local_endpoints_total", "ip_family,traffic_policy"),
            ("kubeproxy_proxy_livez_total", "code"), ("kubeproxy_sync_proxy_rules_nftables_sync_failures_total", "ip_family"),
            ("kubeproxy_conntrack_reconciler_deleted_entries_total", "ip_family"),
            ("kubernetes_build_info", "build_date,compiler,git_commit,git_tree_state,git_version,go_version,major,minor,platform"),
            ("kubernetes_feature_enabled", "name,stage"), ("process_cpu_seconds_total", ""), ("process_max_fds", ""), ("process_open_fds", ""),
            ("process_resident_memory_bytes", ""), ("process_start_time_seconds", ""), ("process_virtual_memory_bytes", ""),
            ("process_virtual_memory_max_bytes", ""), ("promhttp_metric_handler_requests_total", "code"),
            ("promhttp_metric_handler_requests_in_flight", ""), ("dotnet_gc_collections_total", "generation"),
        ];
        foreach (var (name, labels) in expected)
        {
            Assert.True(families.TryGetValue(name, out var family), name);
            Assert.Equal(labels, string.Join(',', family.Samples[0].Labels.Keys.Where(label => label != "le").Order()));
        }

        var documented = Repository.Read("docs", "metrics.md");
        Assert.DoesNotContain(families.Keys, name => !documented.Contains($"| `{name}` |", StringComparison.Ordinal));
        var bounds = families["kubeproxy_sync_proxy_rules_duration_seconds"].Samples.Where(sample => sample.Labels.GetValueOrDefault("ip_family") == "IPv4" && sample.Labels.ContainsKey("le"));
        Assert.Equal("0.001 0.002 0.004 0.008 0.016 0.032 0.064 0.128 0.256 0.512 1.024 2.048 4.096 8.192 16.384 +Inf", string.Join(' ', bounds.Select(sample => sample.Labels["le"])));
        Assert.All(families.Values.SelectMany(family => family.Samples).Select(sample => sample.Labels.GetValueOrDefault("ip_family")).OfType<string>(), family => Assert.Contains(family, (string[])["IPv4", "IPv6"]));
    }

    [Fact]
    public async Task Promtool_complains_of_the_names_of_upstreams_gauges_only()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/promtool"), "needs promtool (Debian package prometheus)");
        await AskAsync("/healthz");
        await EventuallyAsync($"http://127.0.0.1:{_healthz}/livez", HttpStatusCode.OK);
        foreach (var path in (string[])["/metrics", "/metrics/slis"])
        {
            using var promtool = Process.Start(new ProcessStartInfo("/usr/bin/promtool", ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            await promtool.StandardInput.WriteAsync((await AskAsync(path)).Body);
            promtool.StandardInput.Close();
            var complaints = await promtool.StandardError.ReadToEndAsync(Cancel) + await promtool.StandardOutput.ReadToEndAsync(Cancel);
            await promtool.WaitForExitAsync(Cancel);
            // 3: linted. Upstream has gauges that are named as counters; dashboards know them by name and type.
            Assert.True(promtool.ExitCode is 0 or 3, complaints);
            Assert.All(complaints.Split('\n', StringSplitOptions.RemoveEmptyEntries), line =>
                Assert.Matches("^kubeproxy_sync_proxy_rules_(no_local_endpoints|iptables)_total non-counter metrics should not have \"_total\" suffix$", line));
        }
    }

    [Theory]
    [InlineData(null, "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("*/*", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "application/openmetrics-text; version=1.0.0; charset=utf-8")]
    [InlineData("text/plain, application/openmetrics-text;q=0.9", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("application/openmetrics-text;q=0", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("nonsense;;;", "text/plain; version=0.0.4; charset=utf-8")]
    public async Task Metrics_come_in_the_format_that_is_asked_for(string? accept, string contentType)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, _server + "/metrics");
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await client.SendAsync(request, Cancel);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}\n{ReadLog()}");
        Assert.Equal(contentType, response.Content.Headers.TryGetValues("Content-Type", out var types) ? types.Single() : null);
        Assert.Equal(contentType.StartsWith("application", StringComparison.Ordinal), (await response.Content.ReadAsStringAsync(Cancel)).EndsWith("# EOF\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Health_checks_are_counted_apart_and_can_be_reset()
    {
        await AskAsync("/healthz");
        await AskAsync("/healthz?verbose");
        var excluded = await AskAsync("/healthz?verbose&exclude=ping&exclude=other");
        Assert.Equal("[+]ping excluded: ok\nwarn: there is no check \"other\" to exclude\nhealthz check passed\n", excluded.Body);
        Assert.Equal("ok", (await AskAsync("/healthz/ping")).Body);
        var indicators = StrictPrometheusParser.Parse((await AskAsync("/metrics/slis")).Body);
        Assert.Equal(["kubernetes_healthcheck", "kubernetes_healthchecks_total"], indicators.Select(family => family.Name));
        Assert.Equal(2, indicators[1].Samples.Single().Value);
        Assert.Equal("metrics reset\n", (await AskAsync("/metrics/slis", method: HttpMethod.Delete)).Body);
        Assert.Equal("", (await AskAsync("/metrics/slis")).Body);
    }

    [Theory]
    [InlineData("/statusz", "Statusz")]
    [InlineData("/flagz", "Flagz")]
    public async Task Component_pages_are_text_unless_the_kind_is_asked_for(string path, string kind)
    {
        foreach (var accept in (string?[])[null, "text/plain", "*/*", "application/json, text/plain"])
        {
            var text = await AskAsync(path, accept);
            Assert.Equal((HttpStatusCode.OK, "text/plain"), (text.Status, text.Response.Content.Headers.ContentType?.MediaType));
        }

        var json = await AskAsync(path, $"application/json;g=config.k8s.io;v=v1beta1;as={kind}");
        var value = JsonNode.Parse(json.Body)!;
        Assert.Equal((kind, "config.k8s.io/v1beta1", "kube-proxy"), ((string?)value["kind"], (string?)value["apiVersion"], (string?)value["metadata"]!["name"]));
        Assert.False(json.Response.Headers.Contains("Warning"));
        var yaml = await AskAsync(path, $"application/yaml; g=config.k8s.io; v=v1alpha1; as={kind}");
        Assert.StartsWith($"kind: {kind}\napiVersion: config.k8s.io/v1alpha1\n", yaml.Body, StringComparison.Ordinal);
        Assert.StartsWith("299 ", yaml.Response.Headers.GetValues("Warning").Single(), StringComparison.Ordinal);
        foreach (var accept in (string[])["application/json", $"application/json;g=config.k8s.io;v=v2;as={kind}", $"application/cbor;g=config.k8s.io;v=v1beta1;as={kind}", "image/png"])
            Assert.Equal(HttpStatusCode.NotAcceptable, (await AskAsync(path, accept)).Status);
    }

    [Fact]
    public async Task Statusz_and_flagz_say_what_runs()
    {
        var status = JsonNode.Parse((await AskAsync("/statusz", "application/json;g=config.k8s.io;v=v1beta1;as=Statusz")).Body)!;
        Assert.Equal("1.37.0", (string?)status["binaryVersion"]);
        Assert.Equal(["/configz", "/debug", "/flagz", "/healthz", "/metrics", "/proxyMode", "/readyz", "/status", "/statusz"], status["paths"]!.AsArray().Select(path => (string)path!));
        var flags = JsonNode.Parse((await AskAsync("/flagz", "application/json;g=config.k8s.io;v=v1beta1;as=Flagz")).Body)!["flags"]!.AsObject();
        Assert.Equal(FlagTable.All.Select(flag => flag.Name).Order(StringComparer.Ordinal), flags.Select(flag => flag.Key));
        Assert.Equal(("2", _config, "14"), ((string?)flags["v"], (string?)flags["config"], (string?)flags["iptables-masquerade-bit"]));
    }

    [Fact]
    public async Task Profiles_answer_on_upstreams_paths()
    {
        var redirect = await AskAsync("/debug/pprof");
        Assert.Equal((HttpStatusCode.Found, "/debug/pprof/"), (redirect.Status, redirect.Response.Headers.Location?.ToString()));
        var index = await AskAsync("/debug/pprof/");
        foreach (var profile in (string[])["heap", "allocs", "goroutine", "threadcreate", "block", "mutex", "symbol"])
        {
            Assert.Contains($"href=\"{profile}\"", index.Body, StringComparison.Ordinal);
            var answer = await AskAsync("/debug/pprof/" + profile);
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.Matches("[0-9]", answer.Body);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync("/debug/pprof/cmdline")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync("/debug/pprof/profile?seconds=0")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync("/debug/pprof/trace?seconds=x")).Status);
    }

    [Theory]
    [InlineData("profile", true)]
    [InlineData("trace", false)]
    public async Task Recordings_are_nettrace_and_samples_name_methods(string profile, bool hasNames)
    {
        using var response = await _client.GetAsync(new Uri($"{_server}/debug/pprof/{profile}?seconds=0.3"), Cancel);
        var trace = await response.Content.ReadAsByteArrayAsync(Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.StartsWith("Nettrace", Encoding.Latin1.GetString(trace.AsSpan(0, 8)), StringComparison.Ordinal);
        if (hasNames) Assert.True(trace.AsSpan().IndexOf(Encoding.Unicode.GetBytes("KubeProxy.Host.Composition.ProxyProgram")) > 0);
    }

    [Fact]
    public async Task Verbosity_can_be_put()
    {
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("/debug/flags")).Status);
        Assert.Equal((HttpStatusCode)406, (await AskAsync("/debug/flags/v")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync("/debug/flags/v", method: HttpMethod.Put, content: "-1")).Status);
        Assert.Equal("successfully set the verbosity to 4\n", (await AskAsync("/debug/flags/v", method: HttpMethod.Put, content: "4")).Body);
    }

    [Fact]
    public async Task Unknown_paths_are_not_found_and_profiles_only_when_switched_on()
    {
        foreach (var path in (string[])["/", "/version", "/livez", "/healthz/", "/metrics/", "/debug"])
            Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(path)).Status);
    }
}
