using System.Globalization;
using System.Net;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Sources;
using KubeProxy.Kubernetes.Wire;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Keeps a sink equal to the objects of one kind on the server. It holds no objects, only names: each object goes to the sink as
/// it comes off the wire.
/// </summary>
/// <remarks>
/// The position is the last resource version. While there is one, a watch resumes from it, whatever happened to the connection.
/// When there is none (at the start, and after the server said that it is gone), everything is read: as a stream of events
/// (WatchList), or as a list where the server does not do that. The end of either says what was deleted unseen.
/// <para>
/// A real server says nothing to a watch that begins at a version which it has not come to, as happens after the restore of a backup. So a
/// watch is checked against the server's present version soon after it was resumed for another reason than the end of its time, and when
/// it is silent for longer than bookmarks are apart. Objects may then come back with lower versions than they had.
/// </para>
/// <para>
/// The first list asks for version 0, that is for what the server has in its cache, as upstream does; one after a 410 asks for
/// the newest, so that time never runs backwards. A token of a page that expires halfway leads to a list without pages.
/// </para>
/// </remarks>
internal sealed partial class Reflector
{
    private static readonly TimeSpan ShortWatch = TimeSpan.FromSeconds(1);
    private const int IncompleteStreams = 2;

    private readonly ApiClient _client;
    private readonly ConnectionJudge _judge;
    private readonly ApiResource _resource;
    private readonly ApiServerSourceOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly ObjectDelivery _delivery;
    private readonly ReflectorProgress _progress;
    private readonly string _kind;

    private bool _stream;
    private int _incompleteStreams;
    private bool _pages = true;
    private string? _listFrom = "0";
    private string? _position;
    private bool _isDoubtful;

    public Reflector(
        ApiClient client, ApiResource resource, IProxySink sink, ConnectionJudge judge, ApiServerSourceOptions options, ILogger logger)
    {
        (_client, _judge, _resource, _options, _logger, _time) = (client, judge, resource, options, logger, client.Time);
        _delivery = new ObjectDelivery(resource.Kind, sink, client.Server.Authority);
        _progress = new ReflectorProgress(client, resource, sink, judge, options, logger);
        _kind = resource.Kind.ToName();
        _stream = options.StreamInitialState;
    }

    /// <summary>Whether all objects were read once.</summary>
    public bool IsSynced => _progress.Synced;

    public ReflectorStatus Status => _progress.ToStatus(_delivery.Count, _position);

    /// <summary>Runs until cancelled; only a bug ends it otherwise.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await _progress.WaitForTurnAsync(this, cancellationToken);
            try
            {
                await TurnAsync(cancellationToken);
                _judge.Ended(this);
            }
            catch (ApiRequestException e) when (!cancellationToken.IsCancellationRequested)
            {
                await RecoverAsync(e, cancellationToken);
            }
        }
    }

    private async Task TurnAsync(CancellationToken cancellationToken)
    {
        if (_position is not null) await WatchAsync(cancellationToken);
        else if (_stream) await StreamAsync(cancellationToken);
        else await ListAsync(cancellationToken);
    }

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        _progress.Phase = ReflectorPhase.Listing;
        _delivery.BeginSnapshot();
        var version = _listFrom;
        string? page = null;
        do
        {
            var path = _resource.ListPath(_pages ? _options.PageSize : 0, version, page);
            using var response = await OpenAsync(path, paced: page is null, compress: true, cancellationToken);
            var list = await response.ReadListAsync(item => _delivery.Upsert(item));
            version =
                list.ResourceVersion is { Length: > 0 } known
                    ? known
                    : throw ApiRequestException.Broken("the list has no resourceVersion");
            page = list.Continue is { Length: > 0 } more ? more : null;
        }
        while (page is not null);
        Complete(version);
    }

    /// <summary>Resumes where it was. Costs the server little, and is what an attempt to reach it is made with, so no rate limit counts it.</summary>
    private Task WatchAsync(CancellationToken cancellationToken)
    {
        _progress.Phase = ReflectorPhase.Watching;
        return FollowWhileInReachAsync(_isDoubtful ? NewFirstCheck() : _options.SilenceLimit, async (timeout, silence) =>
        {
            var start = _time.GetTimestamp();
            using var response = await OpenAsync(_resource.WatchPath(_position!, timeout), paced: false, compress: false, silence.Token);
            _progress.Succeed();
            silence.Begin();
            var events = await FollowAsync(response, silence);
            if (events == 0 && _time.GetElapsedTime(start) < ShortWatch)
                throw ApiRequestException.Broken("the server ended the watch at once");
        }, cancellationToken);
    }

    private Task StreamAsync(CancellationToken cancellationToken)
    {
        _progress.Phase = ReflectorPhase.Listing;
        return FollowWhileInReachAsync(_options.SilenceLimit, async (timeout, silence) =>
        {
            using var response = await TryOpenStreamAsync(timeout, silence.Token);
            if (response is null) return;
            _delivery.BeginSnapshot();
            try
            {
                await FollowAsync(response, silence);
            }
            finally
            {
                if (_position is null && !cancellationToken.IsCancellationRequested && ++_incompleteStreams >= IncompleteStreams)
                    GiveUpStreaming("it does not come to an end");
            }

            if (_position is null) throw ApiRequestException.Broken("the stream ended before the initial state was complete");
        }, cancellationToken);
    }

    /// <summary>
    /// Follows changes, but not beyond the finding that the server has not come to where we are: then all is read again. A watch that ends for
    /// another reason than its time leaves a doubt whether the server is the same afterwards.
    /// </summary>
    /// <param name="firstCheck">The silence after which the server is asked the first time.</param>
    /// <param name="follow">Follows them, with the time after which the server is to end it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async Task FollowWhileInReachAsync(TimeSpan firstCheck, Func<TimeSpan, SilenceCheck, Task> follow, CancellationToken cancellationToken)
    {
        var (start, timeout) = (_time.GetTimestamp(), NewTimeout());
        using var silence = new SilenceCheck(firstCheck, _options.SilenceLimit, _time, IsOutOfReachAsync, cancellationToken);
        _isDoubtful = true;
        try
        {
            await follow(timeout, silence);
            _isDoubtful = _time.GetElapsedTime(start) < timeout - ShortWatch;
        }
        catch (OperationCanceledException) when (silence.IsOutOfReach && !cancellationToken.IsCancellationRequested)
        {
            LogRevisionsWentBack(_logger, _kind, _position);
            Forget();
        }
    }

    /// <summary>Whether the position is one that the server has not come to: it was restored from a backup, or has lost its data.</summary>
    private async Task<bool> IsOutOfReachAsync(CancellationToken cancellationToken)
    {
        var ours = _position; // Before it is asked: afterwards we may have come further than the answer.
        using var response = await _client.OpenAsync(HttpMethod.Get, _resource.RevisionPath, null, false, cancellationToken, compress: true);
        var list = await response.ReadListAsync(_ => { });
        return IsBefore(list.ResourceVersion, ours);
    }

    private static bool IsBefore(string? version, string? other) =>
        ulong.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
        && ulong.TryParse(other, NumberStyles.None, CultureInfo.InvariantCulture, out var second)
        && first < second;

    /// <summary>Null, and a list next, when the server refuses to stream.</summary>
    private async Task<ApiResponse?> TryOpenStreamAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await OpenAsync(_resource.StreamPath(timeout), paced: true, compress: true, cancellationToken);
        }
        catch (ApiRequestException e) when (IsRefusalToStream(e.StatusCode))
        {
            GiveUpStreaming(e.Message);
            return null;
        }
    }

    private async Task<ApiResponse> OpenAsync(string path, bool paced, bool compress, CancellationToken cancellationToken)
    {
        var response = await _client.OpenAsync(HttpMethod.Get, path, null, paced, cancellationToken, compress);
        _judge.Answered(this);
        return response;
    }

    private static bool IsRefusalToStream(HttpStatusCode? code) =>
        code is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity or HttpStatusCode.MethodNotAllowed;

    private void GiveUpStreaming(string reason)
    {
        _stream = false;
        LogNoStream(_logger, _kind, reason);
    }

    /// <summary>Takes events until the server ends the watch; returns how many there were.</summary>
    private async Task<long> FollowAsync(ApiResponse response, SilenceCheck silence)
    {
        var watch = response.OpenWatch();
        var events = 0L;
        while (await watch.ReadAsync(Take))
        {
            events++;
            if (_position is not null) silence.Hear();
        }

        LogWatchEnded(_logger, _kind, events);
        return events;
    }

    private void Take(WatchEventType type, EncodedObject value)
    {
        _progress.Touch();
        _client.Metrics.CountEvent(_kind, type.ToName());
        switch (type)
        {
            case WatchEventType.Added or WatchEventType.Modified:
                Advance(_delivery.Upsert(value));
                break;
            case WatchEventType.Deleted:
                Advance(_delivery.Delete(value));
                break;
            case WatchEventType.Bookmark:
                var head = value.ReadHead();
                if (_position is null && head is { InitialEventsEnd: true, ResourceVersion.Length: > 0 })
                    Complete(head.ResourceVersion);
                else Advance(head.ResourceVersion);
                break;
            case WatchEventType.Error:
                throw ApiRequestException.Of(value.ReadStatus(), null, null);
            default:
                LogUnknownEvent(_logger, _kind);
                break;
        }
    }

    /// <summary>Before the initial state is complete there is no position to resume from.</summary>
    private void Advance(string? version)
    {
        if (_position is not null && version is { Length: > 0 }) _position = version;
    }

    private void Complete(string version)
    {
        _delivery.EndSnapshot();
        _position = version;
        _pages = true;
        _incompleteStreams = 0;
        _progress.Succeed();
        _progress.Synced = true;
        _client.Metrics.CountSnapshot(_kind);
        LogComplete(_logger, _kind, _delivery.Count);
    }

    private async Task RecoverAsync(ApiRequestException e, CancellationToken cancellationToken)
    {
        var isAway = _judge.Failed(this, e);
        if (isAway)
        {
            _progress.NoteOutage(e);
        }
        else if (e.IsGone || e.IsTooNew)
        {
            _pages = _position is not null; // Without a position it was a page that expired.
            Forget();
            await _progress.WaitAfterGoneAsync(e, cancellationToken);
        }
        else if (_resource.IsOptional && e.StatusCode == HttpStatusCode.NotFound)
        {
            await BeWithoutAsync(cancellationToken);
        }
        else
        {
            await _progress.WaitAfterAsync(e, cancellationToken);
        }
    }

    /// <summary>The server does not know the kind, so there is nothing of it.</summary>
    private async Task BeWithoutAsync(CancellationToken cancellationToken)
    {
        _delivery.BeginSnapshot();
        _delivery.EndSnapshot();
        _position = null;
        await _progress.WaitForKindAsync(cancellationToken);
    }

    /// <summary>All has to be read, and nothing that is older than now.</summary>
    private void Forget() => (_position, _listFrom) = (null, null);

    private TimeSpan NewFirstCheck() => _options.FirstSilenceCheck * (0.5 + _options.Random.NextDouble());

    private TimeSpan NewTimeout() => _options.WatchTimeout * (1 + _options.Random.NextDouble());

    [LoggerMessage(EventId = 400, Level = LogLevel.Information, Message = "All of {Kind} read: {Objects} objects")]
    private static partial void LogComplete(ILogger logger, string kind, int objects);

    [LoggerMessage(EventId = 401, Level = LogLevel.Information,
        Message = "The server does not stream the initial state of {Kind}, which is listed instead: {Reason}")]
    private static partial void LogNoStream(ILogger logger, string kind, string reason);

    [LoggerMessage(EventId = 402, Level = LogLevel.Debug, Message = "Watch of {Kind} ended by the server after {Events} events")]
    private static partial void LogWatchEnded(ILogger logger, string kind, long events);

    [LoggerMessage(EventId = 403, Level = LogLevel.Warning, Message = "An event of {Kind} has an unknown type; ignored")]
    private static partial void LogUnknownEvent(ILogger logger, string kind);

    [LoggerMessage(EventId = 409, Level = LogLevel.Warning,
        Message = "The server has not come to version {Version} of {Kind}: it was restored or lost data; all is read again")]
    private static partial void LogRevisionsWentBack(ILogger logger, string kind, string? version);
}
