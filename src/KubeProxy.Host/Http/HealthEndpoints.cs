using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Http;

/// <summary>
/// <c>/healthz</c> (does the node want new traffic?) and <c>/livez</c> (does the proxy keep up?). A proxy that has not programmed anything
/// yet is alive, but load balancers are not to send anything to it: what the kernel does with that, if anything, is not its doing.
/// </summary>
/// <param name="health">What is reported on.</param>
/// <param name="getWait">Says what the start waits for, so that nothing is programmed yet; null when for nothing.</param>
/// <param name="instruments">Counts the answers.</param>
internal sealed class HealthEndpoints(ProxyHealth health, Func<string?> getWait, HealthInstruments instruments)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers a request.</summary>
    public ValueTask<HttpReply> Handle(HttpRequest request) => new(request.Path.Value switch
    {
        "/healthz" => Healthz(),
        "/livez" => Livez(),
        _ => HttpReply.NotFound,
    });

    private HttpReply Healthz()
    {
        var report = health.Report();
        var wait = getWait();
        var status = report is { Healthy: true, NodeEligible: true, Unprogrammed.Count: 0 } && wait is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        instruments.Healthz.Add(1, HealthInstruments.Code(status));
        return HttpReply.Json(status, Body(report, status, report.NodeEligible, wait));
    }

    private HttpReply Livez()
    {
        var report = health.Report();
        var status = report.Healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        instruments.Livez.Add(1, HealthInstruments.Code(status));
        return HttpReply.Json(status, Body(report, status, nodeEligible: null));
    }

    /// <summary>The body, keys in upstream's order; with another status than 200 the reasons come after them, and what the start waits for.</summary>
    internal static ReadOnlyMemory<byte> Body(ProxyHealthReport report, int status, bool? nodeEligible, string? wait = null)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Options);
        writer.WriteStartObject();
        writer.WriteString("lastUpdated", Rfc3339.Format(status == StatusCodes.Status200OK ? report.CurrentTime : report.LastUpdated));
        writer.WriteString("currentTime", Rfc3339.Format(report.CurrentTime));
        if (nodeEligible is { } eligible) writer.WriteBoolean("nodeEligible", eligible);
        writer.WriteBoolean("healthy", report.Healthy);
        if (report.Families.Count > 0) WriteFamilies(writer, report);
        if (status != StatusCodes.Status200OK) WriteReasons(writer, Reasons(report, nodeEligible));
        if (wait is not null) writer.WriteString("waitingFor", wait);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static IEnumerable<string> Reasons(ProxyHealthReport report, bool? nodeEligible)
    {
        if (nodeEligible is not null)
        {
            foreach (var family in report.Unprogrammed) yield return $"{family}: nothing has been programmed yet{Error(family)}";
        }

        foreach (var (family, state) in report.Families.Where(pair => !pair.Value.Healthy))
            yield return $"{family}: a change has waited {(state.WaitingSince is { } since ? $"since {Rfc3339.Format(since)}" : "for too long")}{Error(family)}";
        if (nodeEligible == false) yield return "no Node object of this name has been seen, or it is being deleted or tainted ToBeDeletedByClusterAutoscaler";

        string Error(IpFamily family) => report.Families.TryGetValue(family, out var state) && state.LastError is { } error ? $": {error}" : "";
    }

    private static void WriteReasons(Utf8JsonWriter writer, IEnumerable<string> reasons)
    {
        writer.WriteStartArray("reasons");
        foreach (var reason in reasons) writer.WriteStringValue(reason);
        writer.WriteEndArray();
    }

    private static void WriteFamilies(Utf8JsonWriter writer, ProxyHealthReport report)
    {
        writer.WriteStartObject("status");
        foreach (var (family, state) in report.Families.OrderBy(pair => pair.Key))
        {
            writer.WriteStartObject(family.ToString());
            writer.WriteString("lastUpdated", Rfc3339.Format(state.LastUpdated));
            writer.WriteBoolean("healthy", state.Healthy);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }
}

/// <summary>Counts the answers of <see cref="HealthEndpoints"/>.</summary>
internal sealed class HealthInstruments : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "KubeProxy.Health";

    private readonly Meter _meter = new(MeterName);

    public HealthInstruments()
    {
        Healthz = _meter.CreateCounter<long>("kubeproxy_proxy_healthz_total", null, "Cumulative proxy healthz HTTP status");
        Livez = _meter.CreateCounter<long>("kubeproxy_proxy_livez_total", null, "Cumulative proxy livez HTTP status");
    }

    /// <summary>Answers of /healthz, by code.</summary>
    public Counter<long> Healthz { get; }

    /// <summary>Answers of /livez, by code.</summary>
    public Counter<long> Livez { get; }

    /// <summary>The label of a status.</summary>
    public static KeyValuePair<string, object?> Code(int status) => new("code", status);

    public void Dispose() => _meter.Dispose();
}
