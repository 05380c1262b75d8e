using KubeProxy.Host.Metrics;
using Microsoft.AspNetCore.Http;

namespace KubeProxy.Host.Http;

/// <summary><c>/healthz</c> of the metrics server: that the process answers. Counted for <c>/metrics/slis</c>.</summary>
internal sealed class PingEndpoint(HealthCheckIndicators indicators)
{
    private const string Check = "ping";

    /// <summary><c>/healthz</c>, with <c>?verbose</c> and <c>?exclude=ping</c>.</summary>
    public HttpReply Root(HttpRequest request)
    {
        var excluded = request.Query["exclude"];
        var isExcluded = excluded.Contains(Check);
        if (!isExcluded) indicators.Succeed(Check, "healthz");
        if (!request.Query.ContainsKey("verbose")) return Ok("ok");
        var ping = isExcluded ? "[+]ping excluded: ok\n" : "[+]ping ok\n";
        var unknown = string.Concat(excluded.Where(name => name != Check).Select(name => $"warn: there is no check \"{name}\" to exclude\n"));
        return Ok(ping + unknown + "healthz check passed\n");
    }

    /// <summary><c>/healthz/ping</c>.</summary>
    public static HttpReply Single(HttpRequest request) => Ok("ok");

    private static HttpReply Ok(string text) => HttpReply.Text(StatusCodes.Status200OK, text);
}
