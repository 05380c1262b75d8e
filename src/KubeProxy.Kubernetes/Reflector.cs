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
/// The first list asks for version 0, that is for what the server has in its cache, as upstream does; one after a 410 asks for
/// the newest, so that time never runs backwards. A token of a page that expires halfway leads to a list without pages.
/// </para>
/// </remarks>
internal sealed partial class Reflector
{
    private static readonly TimeSpan ShortWatch = TimeSpan.FromSeconds(1);
    private const int IncompleteStreams = 2;

    private readonly ApiClient _client;
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

    public Reflector(ApiClient client, ApiResource resource, IProxySink sink, ApiServerSourceOptions options, ILogger logger)
    {
        (_client, _resource, _options, _logger, _time) = (client, resource, options, logger, client.Time);
        _delivery = new ObjectDelivery(resource.Kind, sink, client.Server.Authority);
        _progress = new ReflectorProgress(client, resource, sink, options, logger);
        _kind = resource.Kind.ToName();
        _stream = options.StreamInitialState;
    }

    public ReflectorStatus Status => _progress.ToStatus(_delivery.Count, _position);

    /// <summary>Runs until cancelled; only a bug ends it otherwise.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                await TurnAsync(cancellationToken);
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
            using var response = await _client.OpenAsync(HttpMethod.Get, path, null, page is null, cancellationToken, compress: true);
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

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        _progress.Phase = ReflectorPhase.Watching;
        var start = _time.GetTimestamp();
        var path = _resource.WatchPath(_position!, NewTimeout());
        using var response = await _client.OpenAsync(HttpMethod.Get, path, null, true, cancellationToken);
        _progress.Succeed();
        var events = await FollowAsync(response);
        if (events == 0 && _time.GetElapsedTime(start) < ShortWatch)
            throw ApiRequestException.Broken("the server ended the watch at once");
    }

    private async Task StreamAsync(CancellationToken cancellationToken)
    {
        _progress.Phase = ReflectorPhase.Listing;
        using var response = await TryOpenStreamAsync(cancellationToken);
        if (response is null) return;
        _delivery.BeginSnapshot();
        try
        {
            await FollowAsync(response);
        }
        finally
        {
            if (_position is null && !cancellationToken.IsCancellationRequested && ++_incompleteStreams >= IncompleteStreams)
                GiveUpStreaming("it does not come to an end");
        }

        if (_position is null) throw ApiRequestException.Broken("the stream ended before the initial state was complete");
    }

    /// <summary>Null, and a list next, when the server refuses to stream.</summary>
    private async Task<ApiResponse?> TryOpenStreamAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _client.OpenAsync(HttpMethod.Get, _resource.StreamPath(NewTimeout()), null, true, cancellationToken, compress: true);
        }
        catch (ApiRequestException e) when (IsRefusalToStream(e.StatusCode))
        {
            GiveUpStreaming(e.Message);
            return null;
        }
    }

    private static bool IsRefusalToStream(HttpStatusCode? code) =>
        code is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity or HttpStatusCode.MethodNotAllowed;

    private void GiveUpStreaming(string reason)
    {
        _stream = false;
        LogNoStream(_logger, _kind, reason);
    }

    /// <summary>Takes events until the server ends the watch; returns how many there were.</summary>
    private async Task<long> FollowAsync(ApiResponse response)
    {
        var watch = response.OpenWatch();
        var events = 0L;
        while (await watch.ReadAsync(Take)) events++;
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
        if (e.IsGone || e.IsTooNew)
        {
            _pages = _position is not null; // Without a position it was a page that expired.
            _position = null;
            _listFrom = null;
        }

        if (_resource.IsOptional && e.StatusCode == HttpStatusCode.NotFound)
        {
            _delivery.BeginSnapshot();
            _delivery.EndSnapshot();
            _position = null;
            await _progress.WaitForKindAsync(cancellationToken);
        }
        else
        {
            await _progress.WaitAfterAsync(e, cancellationToken);
        }
    }

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
}
