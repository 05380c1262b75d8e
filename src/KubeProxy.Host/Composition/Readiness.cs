using KubeProxy.Core.Health;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Http;
using KubeProxy.Kubernetes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Composition;

/// <summary>
/// Answers <c>/readyz</c>. Looks by itself as well, so that the log and systemd tell once when something comes that is not as it should be,
/// and when it goes, whether anybody asks or not.
/// </summary>
/// <param name="engine">What is reported on.</param>
/// <param name="rivals">Finds rules of other proxies.</param>
/// <param name="getWait">Says what the start waits for, other than objects; null when for nothing.</param>
/// <param name="systemd">Is told.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where to log.</param>
/// <param name="source">The API server; null when objects come from elsewhere.</param>
internal sealed partial class Readiness(
    ProxyEngine engine, RivalWatch rivals, Func<string?> getWait, ServiceReadiness systemd, TimeProvider time, ILogger<Readiness> logger,
    ApiServerSource? source = null)
    : BackgroundService
{
    /// <summary>How often it looks by itself.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private readonly HashSet<string> _told = [];

    /// <summary>The answer: 200 and <c>ok</c>, or 503 and a line for each doubt. What is wrong with the source is told with either.</summary>
    public async ValueTask<HttpReply> AnswerAsync(CancellationToken cancellationToken)
    {
        var status = engine.GetStatus();
        var doubts = Doubts.Of(status, engine.Health.Report(), await rivals.LookAsync(cancellationToken));
        List<string> waits = [.. StartDoubts.Of(status, getWait())];
        List<string> lines = [.. waits, .. doubts.Select(doubt => doubt.Text), .. Doubts.OfSources(status).Select(problem => $"note: {problem}")];
        if (doubts.Count + waits.Count > 0) return HttpReply.Text(StatusCodes.Status503ServiceUnavailable, string.Concat(lines.Select(line => line + "\n")));
        return HttpReply.Text(StatusCodes.Status200OK, string.Join('\n', ["ok", .. lines]));
    }

    /// <summary>The body of <c>/status</c>.</summary>
    public async ValueTask<HttpReply> StatusAsync(string mode, CancellationToken cancellationToken) =>
        HttpReply.Json(StatusCodes.Status200OK, StatusBody.Write(
            mode, engine.GetStatus(), engine.Health.Report(), await rivals.LookAsync(cancellationToken), source));

    /// <summary>Looks once, and tells what is new.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        var doubts = Doubts.Of(engine.GetStatus(), engine.Health.Report(), await rivals.LookAsync(cancellationToken));
        if (_told.SetEquals(doubts.Select(doubt => doubt.Subject))) return;
        foreach (var doubt in doubts.Where(doubt => !_told.Contains(doubt.Subject))) LogDoubt(doubt.Text);
        if (doubts.Count == 0) LogReady();
        _told.Clear();
        _told.UnionWith(doubts.Select(doubt => doubt.Subject));
        systemd.Status(doubts.Count == 0 ? ServiceReadiness.InForce : $"Not ready: {string.Join("; ", doubts)}");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await LookAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Not ready: {Doubt}")]
    private partial void LogDoubt(string doubt);

    [LoggerMessage(Level = LogLevel.Information, Message = "Ready again: the kernel holds what was asked for, and nothing else is known that wins over it")]
    private partial void LogReady();
}
