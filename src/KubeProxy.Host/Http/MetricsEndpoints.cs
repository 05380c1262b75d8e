using System.Text;
using KubeProxy.Host.Metrics;
using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Http;

/// <summary>What the metrics server serves.</summary>
/// <param name="metrics">For <c>/metrics</c>.</param>
/// <param name="proxyMode">For <c>/proxyMode</c>.</param>
/// <param name="configz">The configuration in force, as JSON, for <c>/configz</c>.</param>
/// <param name="status">Makes the body of <c>/status</c>.</param>
/// <param name="isReady">For <c>/readyz</c>: whether the first sync is done.</param>
internal sealed class MetricsEndpoints(
    MetricsCollector metrics, string proxyMode, ReadOnlyMemory<byte> configz, Func<ReadOnlyMemory<byte>> status, Func<bool> isReady)
{
    /// <summary>Answers a request.</summary>
    public HttpReply Handle(HttpRequest request) => request.Path.Value switch
    {
        "/metrics" => new HttpReply(StatusCodes.Status200OK, PrometheusText.ContentType, Encoding.UTF8.GetBytes(metrics.Collect())),
        "/healthz" => Ping(request),
        "/healthz/ping" => HttpReply.Text(StatusCodes.Status200OK, "ok"),
        "/readyz" => isReady()
            ? HttpReply.Text(StatusCodes.Status200OK, "ok")
            : HttpReply.Text(StatusCodes.Status503ServiceUnavailable, "the first sync is not done yet\n"),
        "/proxyMode" => HttpReply.Text(StatusCodes.Status200OK, proxyMode),
        "/configz" => HttpReply.Json(StatusCodes.Status200OK, configz),
        "/status" => HttpReply.Json(StatusCodes.Status200OK, status()),
        _ => HttpReply.NotFound,
    };

    private static HttpReply Ping(HttpRequest request)
    {
        if (!request.Query.ContainsKey("verbose")) return HttpReply.Text(StatusCodes.Status200OK, "ok");
        var ping = request.Query["exclude"].Contains("ping") ? "[+]ping excluded: ok\n" : "[+]ping ok\n";
        return HttpReply.Text(StatusCodes.Status200OK, ping + "healthz check passed\n");
    }
}
