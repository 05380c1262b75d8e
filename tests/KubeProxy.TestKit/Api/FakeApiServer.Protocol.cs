using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace KubeProxy.TestKit.Api;

public sealed partial class FakeApiServer
{
    /// <summary>What is left of lists whose next page was promised.</summary>
    private readonly Dictionary<string, Page> _pages = new(StringComparer.Ordinal);

    private volatile bool _isHonest;
    private int _compressed;

    /// <summary>How many responses were compressed.</summary>
    public int Compressed => Volatile.Read(ref _compressed);

    /// <summary>From now on, what says that it is compressed is.</summary>
    public void StopFakingCompression() => _isHonest = true;

    private sealed record Page(ImmutableArray<StoredObject> Rest, long Version);

    private async Task ListAsync(HttpContext context, FakeRequest request, Fault? fault)
    {
        if (!TryTakePage(request, out var page, out var error))
        {
            await RefuseAsync(context, error, error == 410 ? "Expired" : "Timeout", null, error == 410 ? null : TooNew());
            return;
        }

        var limit = int.Parse(request.Get("limit") ?? "0", CultureInfo.InvariantCulture);
        if (request.Get("resourceVersion") == "0" && !_options.PagesFromCache) limit = 0;
        var items = limit > 0 && limit < page.Rest.Length ? page.Rest[..limit] : page.Rest;
        var metadata = new JsonObject { ["resourceVersion"] = page.Version.ToString(CultureInfo.InvariantCulture) };
        if (items.Length < page.Rest.Length) metadata["continue"] = Promise(page with { Rest = page.Rest[items.Length..] });
        var encoding = EncodingOf(context);
        context.Response.ContentType = encoding.ContentType;
        await using var compressed = CompressedFor(context, request);
        var body = new FaultyBody(WriterOf(context, compressed), fault, context.Abort, _disposed.Task);
        var stop = context.RequestAborted;
        if (DropsManagedFieldsFor(context)) items = [.. items.Select(item => item.WithoutManagedFields)];
        foreach (var piece in encoding.List(_resources[request.Resource], metadata, items)) await body.WriteAsync(piece, stop);
        await body.FlushAsync(stop);
    }

    private bool TryTakePage(FakeRequest request, out Page page, out int error)
    {
        error = 410;
        lock (_gate)
        {
            if (request.Get("continue") is { } token) return _pages.Remove(token, out page!);
            var selector = new Selector(request.Get("labelSelector"), request.Get("fieldSelector"));
            page = new Page([.. _resources[request.Resource].Objects.Values.Where(selector.Matches)], _version);
            error = 504;
            return !long.TryParse(request.Get("resourceVersion"), CultureInfo.InvariantCulture, out var wanted) || wanted <= _version;
        }
    }

    private string Promise(Page page)
    {
        var token = Guid.NewGuid().ToString("N");
        lock (_gate) _pages[token] = page;
        return token;
    }

    private async Task WatchAsync(HttpContext context, FakeRequest request, Fault? fault)
    {
        if (request.IsStream && Refusal(request) is { } reason)
        {
            await RefuseAsync(context, 422, reason);
            return;
        }

        var encoding = EncodingOf(context);
        context.Response.ContentType = encoding.WatchContentType;
        var timeout = TimeSpan.FromSeconds(int.Parse(request.Get("timeoutSeconds") ?? "1800", CultureInfo.InvariantCulture));
        using var over = new CancellationTokenSource(timeout, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, context.RequestAborted);
        await using var compressed = CompressedFor(context, request);
        var body = new FaultyBody(WriterOf(context, compressed), fault, context.Abort, _disposed.Task);
        var watch = new FakeWatch(body, encoding, DropsManagedFieldsFor(context), _resources[request.Resource], request, (fault as Fault.ErrorEvent)?.AfterEvents ?? int.MaxValue, either.Token);
        await body.FlushAsync(either.Token);
        try
        {
            await FollowAsync(watch, request);
        }
        catch (WatchErrorException) when (fault is Fault.ErrorEvent error)
        {
            await watch.SendErrorAsync(StatusOf(error.Code, error.Reason));
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // Its time is over: it ends in order.
        }
    }

    private async Task FollowAsync(FakeWatch watch, FakeRequest request)
    {
        var resource = _resources[request.Resource];
        var asked = request.Get("resourceVersion");
        long position;
        int bookmarks, ends;
        ImmutableArray<StoredObject> initial = [];
        JsonObject? error = null;
        lock (_gate)
        {
            (bookmarks, ends) = (resource.BookmarkSignals, resource.EndSignals);
            if (request.IsStream || asked is null or "" or "0") (initial, position) = ([.. resource.Objects.Values.Where(watch.Selector.Matches)], _version);
            else position = long.Parse(asked, CultureInfo.InvariantCulture);
            if (position < resource.Oldest) error = StatusOf(410, "Expired");
            // What the real one (1.36.2) does: to a watch from a version that it has not come to it says nothing, not even that.
            if (position > _version && request.IsStream) error = StatusOf(504, "Timeout", TooNew());
        }

        if (error is not null)
        {
            await watch.SendErrorAsync(error);
            return;
        }

        await watch.SendInitialAsync(initial, position);
        while (true)
        {
            Task changed;
            IReadOnlyList<FakeEvent> events;
            bool bookmark, ending, late;
            lock (_gate)
            {
                late = position < resource.LastForgotten;
                changed = resource.Changed;
                events = resource.After(position);
                position = Math.Max(position, events.Count > 0 ? events[^1].Version : 0);
                bookmark = resource.BookmarkSignals > bookmarks;
                bookmarks = resource.BookmarkSignals;
                bookmark &= position <= _version;
                if (bookmark) position = _version;
                ending = resource.EndSignals > ends && events.Count == 0;
            }

            if (late)
            {
                await watch.SendErrorAsync(StatusOf(410, "Expired"));
                return;
            }

            await watch.SendAsync(events, bookmark ? position : null);
            if (ending) return;
            if (events.Count == 0) await changed.WaitAsync(watch.Stop);
        }
    }

    private bool DropsManagedFieldsFor(HttpContext context) =>
        _options.DropsManagedFields && context.Request.Headers.Accept.ToString().Contains("drop=metadata.managedFields", StringComparison.Ordinal);

    /// <summary>The body, compressed, for those who ask for it; null for others, and for watches without an initial state.</summary>
    private GZipStream? CompressedFor(HttpContext context, FakeRequest request)
    {
        if (_options.FakesCompression && !_isHonest) context.Response.Headers.ContentEncoding = "gzip";
        var asked = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.Ordinal);
        if (!_options.Compresses || !asked || (request.IsWatch && !request.IsStream)) return null;
        context.Response.Headers.ContentEncoding = "gzip";
        Interlocked.Increment(ref _compressed);
        return new GZipStream(context.Response.Body, CompressionLevel.Fastest, leaveOpen: true);
    }

    private static PipeWriter WriterOf(HttpContext context, GZipStream? compressed) =>
        compressed is null ? context.Response.BodyWriter : PipeWriter.Create(compressed, new StreamPipeWriterOptions(leaveOpen: true));

    private string? Refusal(FakeRequest request) =>
        !_options.StreamsInitialState ? "Invalid"
        : request.Get("resourceVersionMatch") != "NotOlderThan" ? "Invalid: resourceVersionMatch"
        : request.Get("allowWatchBookmarks") != "true" ? "Invalid: allowWatchBookmarks"
        : null;
}

/// <summary>The fault of a watch strikes now.</summary>
internal sealed class WatchErrorException : Exception;

/// <summary>Writes the events of one watch.</summary>
internal sealed class FakeWatch(
    FaultyBody body, FakeEncoding encoding, bool dropsManagedFields, FakeResource resource, FakeRequest request, int errorAfter, CancellationToken stop)
{
    private int _sent;

    public Selector Selector { get; } = new(request.Get("labelSelector"), request.Get("fieldSelector"));

    public CancellationToken Stop => stop;

    public async Task SendInitialAsync(ImmutableArray<StoredObject> objects, long version)
    {
        foreach (var value in objects) await SendOneAsync(encoding.Event("ADDED", Sent(value)));
        if (request.IsStream) await SendBookmarkAsync(version, isInitialEnd: true);
        if (errorAfter == 0) throw new WatchErrorException();
        await body.FlushAsync(stop);
    }

    public async Task SendAsync(IReadOnlyList<FakeEvent> events, long? bookmark)
    {
        foreach (var change in events)
        {
            if (change.SeenThrough(Selector) is var (type, value)) await SendOneAsync(encoding.Event(type, Sent(value)));
        }

        if (bookmark is { } version && request.Get("allowWatchBookmarks") == "true") await SendBookmarkAsync(version, isInitialEnd: false);
        await body.FlushAsync(stop);
    }

    private StoredObject Sent(StoredObject value) => dropsManagedFields ? value.WithoutManagedFields : value;

    public async Task SendErrorAsync(JsonObject status)
    {
        await body.WriteAsync(encoding.Error(status), stop);
        await body.FlushAsync(stop);
    }

    private async Task SendBookmarkAsync(long version, bool isInitialEnd)
    {
        var metadata = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture), ["creationTimestamp"] = null };
        if (isInitialEnd) metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        await SendOneAsync(encoding.Bookmark(resource, metadata));
    }

    private async Task SendOneAsync(ReadOnlyMemory<byte> change)
    {
        if (_sent++ >= errorAfter) throw new WatchErrorException();
        await body.WriteAsync(change, stop);
    }
}
