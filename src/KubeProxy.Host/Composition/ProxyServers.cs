using System.Globalization;
using System.Text.Json;
using KubeProxy.Core.Explaining;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Diagnostics;
using KubeProxy.Host.Http;
using KubeProxy.Host.Inspection;
using KubeProxy.Host.Logging;
using KubeProxy.Host.Metrics;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netlink;
using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Composition;

/// <summary>What the health server and the metrics server serve.</summary>
/// <param name="engine">What is reported on.</param>
/// <param name="readiness">Whether it does what was asked for.</param>
/// <param name="configuration">The configuration in force.</param>
/// <param name="arguments">The command line.</param>
/// <param name="verbosity">How much is logged.</param>
/// <param name="getWait">Says what the start waits for, other than objects; null when for nothing.</param>
/// <param name="time">The clock.</param>
internal sealed class ProxyServers(
    ProxyEngine engine, Readiness readiness, CurrentConfiguration configuration, ProxyArguments arguments, VerbositySwitch verbosity, Func<string?> getWait, TimeProvider time) : IDisposable
{
    private readonly HealthInstruments _health = new();
    private readonly ProcessInstruments _process = new();
    private readonly RuntimeInstruments _runtime = new();
    private readonly ScrapeInstruments _scrapes = new();
    private readonly HealthCheckIndicators _indicators = new();
    private readonly VersionInstruments _version = new(configuration.Value.Source);
    private readonly ModeInstruments _mode = new(configuration.Value.Mode, () => engine.GetStatus().Families);
    private readonly MetricsCollector _metrics = new(meter => meter.Name.StartsWith("KubeProxy", StringComparison.Ordinal));

    /// <summary>Answers on the health server.</summary>
    public HttpHandler CreateHealthHandler() => new HealthEndpoints(engine.Health, getWait, _health).Handle;

    /// <summary>Answers on the metrics server.</summary>
    public HttpHandler CreateMetricsHandler()
    {
        var source = configuration.Value.Source;
        var ping = new PingEndpoint(_indicators);
        var pages = new MetricsEndpoints()
            .Add("/metrics", async request => await _scrapes.CountAsync(() => MetricsReply.OfAsync(_metrics, request)))
            .Add("/metrics/slis", IndicatorsAsync)
            .Add("/healthz", ping.Root)
            .Add("/healthz/ping", PingEndpoint.Single)
            .Add("/readyz", request => readiness.AnswerAsync(request.HttpContext.RequestAborted))
            .Add("/proxyMode", _ => HttpReply.Text(StatusCodes.Status200OK, configuration.Value.Mode))
            .Add("/configz", _ => HttpReply.Json(StatusCodes.Status200OK, Configz()))
            .Add("/status", request => readiness.StatusAsync(configuration.Value.Mode, request.HttpContext.RequestAborted));
        if (FeatureGates.IsEnabled(source, "ComponentFlagz")) pages.Add("/flagz", ComponentPages.Flags(arguments.AllValues()).Answer);
        if (FeatureGates.IsEnabled(source, "ComponentStatusz"))
            pages.Add("/statusz", ComponentPages.Status(_process.Start, time, () => pages.Roots).Answer);
        new ProfilingEndpoints(() => configuration.Value.Source.EnableProfiling, samples: !NativeCode.IsUsed, verbosity, time).AddTo(pages);
        return pages.Handle;
    }

    /// <summary>Answers subcommands.</summary>
    /// <param name="comparison">Compares the kernel with the plan.</param>
    /// <param name="masquerade">Which connections of a family are masqueraded.</param>
    public HttpHandler CreateSocketHandler(KernelComparison comparison, Func<IpFamily, MasqueradePolicy?> masquerade) => new ReadOnlyPages(new MetricsEndpoints()
        .Add("/status", request => readiness.StatusAsync(configuration.Value.Mode, request.HttpContext.RequestAborted))
        .Add("/explain", request => ExplainAsync(request, comparison, masquerade))
        .Add("/changes", Changes)
        .Add("/diff", request => CompareAsync(comparison, found => DiffReport.Of(configuration.Value.Mode, found).ToJson(), request.HttpContext.RequestAborted)).Handle).Handle;

    private async ValueTask<HttpReply> ExplainAsync(HttpRequest request, KernelComparison comparison, Func<IpFamily, MasqueradePolicy?> masquerade)
    {
        if (!ExplainTarget.TryParse(request.Query["target"], out var target, out var problem)) return HttpReply.Text(StatusCodes.Status400BadRequest, $"target: {problem}\n");
        var explanation = engine.Explain(target, masquerade);
        if (request.Query["kernel"] != "true") return HttpReply.Json(StatusCodes.Status200OK, ExplainAnswer.Write(explanation, null));
        return await CompareAsync(comparison, found => ExplainAnswer.Write(explanation, KernelMatches.Of(explanation, found)), request.HttpContext.RequestAborted);
    }

    private HttpReply Changes(HttpRequest request)
    {
        var limit = request.Query["limit"].ToString();
        if (limit.Length == 0) return HttpReply.Json(StatusCodes.Status200OK, ChangeText.ToJson(engine.GetChanges()));
        return ushort.TryParse(limit, CultureInfo.InvariantCulture, out var most)
            ? HttpReply.Json(StatusCodes.Status200OK, ChangeText.ToJson(engine.GetChanges(most)))
            : HttpReply.Text(StatusCodes.Status400BadRequest, "limit: expected a number of 0 to 65535\n");
    }

    private static async ValueTask<HttpReply> CompareAsync(
        KernelComparison comparison, Func<IReadOnlyList<Difference>, ReadOnlyMemory<byte>> write, CancellationToken cancellationToken)
    {
        try
        {
            return HttpReply.Json(StatusCodes.Status200OK, write(await comparison.FindAsync(cancellationToken)));
        }
        catch (Exception problem) when (problem is ProxyBackendException or NetlinkException or NftReadException)
        {
            return HttpReply.Text(StatusCodes.Status503ServiceUnavailable, problem.Message + "\n");
        }
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _mode.Dispose();
        _version.Dispose();
        _indicators.Dispose();
        _scrapes.Dispose();
        _runtime.Dispose();
        _process.Dispose();
        _health.Dispose();
    }

    private async ValueTask<HttpReply> IndicatorsAsync(HttpRequest request)
    {
        if (!HttpMethods.IsDelete(request.Method)) return await MetricsReply.OfAsync(_indicators.Metrics, request);
        await _indicators.Metrics.ResetAsync(request.HttpContext.RequestAborted);
        return HttpReply.Text(StatusCodes.Status200OK, "metrics reset\n");
    }

    private byte[] Configz()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WritePropertyName("kubeproxy.config.k8s.io");
            JsonSerializer.Serialize(writer, configuration.Value.Source, ConfigurationJsonContext.Default.KubeProxyConfiguration);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
