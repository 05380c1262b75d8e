using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sources;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Kubernetes;

/// <summary>
/// How it goes with one kind: the waits after failures that are its own, and what an operator is told of them. One failure is nothing to
/// tell (connections are cut); two in a row are, and so is the first before anything was read. Failures of the server are told elsewhere.
/// </summary>
internal sealed partial class ReflectorProgress
{
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A server that has just come back refuses things that it is about to grant (rules, kinds and storage are loaded one by one), and those
    /// for which it has no time yet.
    /// </summary>
    public static readonly TimeSpan LongestAtStart = TimeSpan.FromSeconds(2);

    private readonly ApiServerSourceOptions _options;
    private readonly IProxySink _sink;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly ConnectionJudge _judge;
    private readonly Backoff _backoff;
    private readonly ObjectKind _kind;
    private readonly string _place;
    private long? _wellSince;
    private bool _reported;
    private bool _missingLogged;
    private long? _goneAt;
    private long _lastContact;
    private volatile string? _error;
    private volatile bool _synced;
    private volatile ReflectorPhase _phase;

    public ReflectorProgress(
        ApiClient client, ApiResource resource, IProxySink sink, ConnectionJudge judge, ApiServerSourceOptions options, ILogger logger)
    {
        (_judge, _options, _sink, _logger, _time, _kind) = (judge, options, sink, logger, client.Time, resource.Kind);
        _backoff = new Backoff(options.FirstBackoff, options.LongestBackoff, options.Random);
        _place = $"{client.Server.GetLeftPart(UriPartial.Authority)} {resource.Resource}";
    }

    public ReflectorPhase Phase
    {
        set => _phase = value;
    }

    public bool Synced
    {
        get => _synced;
        set => _synced = value;
    }

    /// <summary>The server sent something.</summary>
    public void Touch() => Volatile.Write(ref _lastContact, _time.GetUtcNow().UtcTicks);

    /// <summary>The server does what it is asked.</summary>
    public void Succeed()
    {
        Touch();
        _wellSince ??= _time.GetTimestamp();
        _error = null;
        if (!_reported) return;
        _reported = false;
        _sink.Report(_place, []);
        LogRecovered(_logger, _place);
    }

    /// <summary>Waits until the server is there, or this kind's turn to find out.</summary>
    public async Task WaitForTurnAsync(object watch, CancellationToken cancellationToken)
    {
        var turn = _judge.WaitForTurnAsync(watch, cancellationToken);
        if (!turn.IsCompleted) _phase = ReflectorPhase.Waiting;
        await turn;
    }

    /// <summary>
    /// The revision that was asked for is not there (any more). Nothing is wrong with the server, and all is read at once; but not again and
    /// again.
    /// </summary>
    public async Task WaitAfterGoneAsync(ApiRequestException failure, CancellationToken cancellationToken)
    {
        var isFirst = _goneAt is not { } at || _time.GetElapsedTime(at) > Stable;
        _goneAt = _time.GetTimestamp();
        if (!isFirst) await WaitAfterAsync(failure, cancellationToken);
    }

    /// <summary>Notes a failure of this kind alone, and waits as long as it should.</summary>
    public async Task WaitAfterAsync(ApiRequestException failure, CancellationToken cancellationToken)
    {
        if (_wellSince is { } since && _time.GetElapsedTime(since) > Stable) _backoff.Reset();
        _wellSince = null;
        var isPatient = failure.RetryAfter is not null;
        var wait = _backoff.Next(failure.RetryAfter, _judge.IsStarting ? LongestAtStart : null);
        _error = failure.Message;
        LogFailure(_logger, _place, failure.Message, wait.TotalSeconds);
        _phase = ReflectorPhase.Waiting;
        if (ConnectionJudge.IsOutage(failure) && !isPatient && await _judge.WaitForChangeAsync(wait, cancellationToken))
        {
            _backoff.Reset(); // It was the first sign of an outage, or the last, and not this kind's.
            return;
        }

        if (!_synced || _backoff.Failures > 1) Report(failure);
        if (!ConnectionJudge.IsOutage(failure) || isPatient) await Task.Delay(wait, _time, cancellationToken);
    }

    /// <summary>Notes that the server went away, which is waited for with all other kinds.</summary>
    public void NoteOutage(ApiRequestException failure)
    {
        _wellSince = null;
        _error = failure.Message;
    }

    /// <summary>The server does not know the kind, which is fine, but may be upgraded.</summary>
    public async Task WaitForKindAsync(CancellationToken cancellationToken)
    {
        _synced = true;
        if (!_missingLogged) LogMissing(_logger, _place);
        _missingLogged = true;
        Succeed();
        _phase = ReflectorPhase.Waiting;
        await Task.Delay(_options.MissingKindRetry * (0.5 + _options.Random.NextDouble()), _time, cancellationToken);
    }

    public ReflectorStatus ToStatus(int objects, string? position) => new()
    {
        Kind = _kind,
        Phase = _phase,
        Synced = _synced,
        Objects = objects,
        ResourceVersion = position,
        LastContact = Volatile.Read(ref _lastContact) is > 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null,
        Error = _error,
    };

    private void Report(ApiRequestException failure)
    {
        _reported = true;
        var consequence = _synced ? "what was read before stays in force" : "nothing is known yet";
        var problem = new ObjectProblem("", new NamespacedName("", ""), "", $"{failure.Message}; {consequence}", _place);
        _sink.Report(_place, [problem]);
    }

    [LoggerMessage(EventId = 404, Level = LogLevel.Debug, Message = "{Place}: {Problem}; next attempt in {Seconds:0.###} s")]
    private static partial void LogFailure(ILogger logger, string place, string problem, double seconds);

    [LoggerMessage(EventId = 405, Level = LogLevel.Information, Message = "{Place}: well again")]
    private static partial void LogRecovered(ILogger logger, string place);

    [LoggerMessage(EventId = 406, Level = LogLevel.Information,
        Message = "{Place}: the server does not know this kind, so there are no such objects")]
    private static partial void LogMissing(ILogger logger, string place);
}
