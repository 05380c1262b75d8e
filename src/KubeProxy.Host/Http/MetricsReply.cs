using KubeProxy.Host.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Prometheus;

namespace KubeProxy.Host.Http;

/// <summary>The values of a collector in the format that the client asks for.</summary>
internal static class MetricsReply
{
    private const string TextType = "text/plain; version=0.0.4; charset=utf-8";
    private const string OpenMetrics = "application/openmetrics-text";
    private const string OpenMetricsType = OpenMetrics + "; version=1.0.0; charset=utf-8";

    /// <summary>The answer: OpenMetrics for clients that prefer it, else the Prometheus text format 0.0.4.</summary>
    public static async Task<HttpReply> OfAsync(MetricsCollector metrics, HttpRequest request)
    {
        var prefersOpenMetrics = PrefersOpenMetrics(request);
        using var body = new MemoryStream();
        await metrics.WriteAsync(body, prefersOpenMetrics ? ExpositionFormat.OpenMetricsText : ExpositionFormat.PrometheusText, request.HttpContext.RequestAborted);
        return new HttpReply(StatusCodes.Status200OK, prefersOpenMetrics ? OpenMetricsType : TextType, body.ToArray());
    }

    // Of equal wishes the first counts, as with upstream.
    private static bool PrefersOpenMetrics(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)) return false;
        var best = accepted.Where(type => type.MediaType.Equals(OpenMetrics, StringComparison.OrdinalIgnoreCase) || type.MatchesMediaType("text/plain"))
            .OrderByDescending(type => type.Quality ?? 1).FirstOrDefault();
        return best is { Quality: not 0 } && best.MediaType.Equals(OpenMetrics, StringComparison.OrdinalIgnoreCase);
    }
}
