using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Tells operators that the server is away, and that it is back: one problem for the server, not one for each kind. One failure is nothing
/// to tell once something was read (servers restart, connections are cut); two in a row are.
/// </summary>
/// <param name="place">The server, as problems name it.</param>
/// <param name="sink">Gets the problem.</param>
/// <param name="isSynced">Whether everything was read once.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where to log.</param>
internal sealed partial class ConnectionReport(string place, IProxySink sink, Func<bool> isSynced, TimeProvider time, ILogger logger)
{
    /// <summary>The reason may be another at each attempt (no route, refused, no route), and each new one is a line in the log.</summary>
    private static readonly TimeSpan ReasonLasts = TimeSpan.FromMinutes(1);

    private DateTimeOffset? _reported;

    /// <summary>Takes note of the state; not from two threads at once.</summary>
    public void Tell(ConnectionStatus status)
    {
        if (status.IsConnected) TellReturn();
        else TellOutage(status);
    }

    private void TellReturn()
    {
        if (_reported is null) return;
        _reported = null;
        sink.Report(place, []);
        LogRecovered(logger, place);
    }

    private void TellOutage(ConnectionStatus status)
    {
        LogFailure(logger, place, status.Error, status.Attempts);
        if (status.Attempts < 2 && isSynced()) return;
        var now = time.GetUtcNow();
        if (now - _reported < ReasonLasts) return;
        _reported = now;
        var consequence = isSynced() ? "what was read before stays in force" : "not everything is known yet";
        var message = $"{status.Error}; the server is away since {status.AwaySince:yyyy-MM-dd'T'HH:mm:ss'Z'}; {consequence}";
        sink.Report(place, [new ObjectProblem("", new NamespacedName("", ""), "", message, place)]);
    }

    [LoggerMessage(EventId = 407, Level = LogLevel.Debug, Message = "{Place}: {Problem}; attempt {Attempt} failed")]
    private static partial void LogFailure(ILogger logger, string place, string? problem, int attempt);

    [LoggerMessage(EventId = 408, Level = LogLevel.Information, Message = "{Place}: well again")]
    private static partial void LogRecovered(ILogger logger, string place);
}
