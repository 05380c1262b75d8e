using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace KubeProxy.TestKit.Api;

/// <summary>
/// An API server with four resources in memory, on a real socket, which speaks the list and watch protocol as the real one does:
/// versions, selectors, pages, bookmarks, streamed initial states, history that gets compacted; and which goes wrong when told.
/// </summary>
/// <remarks>Thread-safe. Objects are JSON; each change gets the next version, one counter for all resources.</remarks>
public sealed partial class FakeApiServer : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly FakeApiServerOptions _options;
    private readonly Dictionary<string, FakeResource> _resources = new(StringComparer.Ordinal)
    {
        ["services"] = new("Service", "v1"),
        ["nodes"] = new("Node", "v1"),
        ["endpointslices"] = new("EndpointSlice", "discovery.k8s.io/v1"),
        ["servicecidrs"] = new("ServiceCIDR", "networking.k8s.io/v1"),
    };

    private readonly List<(Func<FakeRequest, bool> Matches, Fault Fault)> _faults = [];
    private readonly List<FakeRequest> _requests = [];
    private readonly List<(Func<FakeRequest, bool> Matches, TaskCompletionSource<FakeRequest> Source)> _waiters = [];
    private readonly HashSet<ConnectionContext> _connections = [];
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication? _app;
    private X509Certificate2? _certificate;
    private HashSet<string>? _tokens;
    private Func<FakeRequest, Fault?>? _chaos;
    private long _version = 1000;
    private int _port;

    private FakeApiServer(FakeApiServerOptions options) => (_options, _certificate, _port) = (options, options.Certificate, options.Port);

    /// <summary>Its address.</summary>
    public Uri Url => new($"{(_options.Certificate is null ? "http" : "https")}://127.0.0.1:{_port}");

    /// <summary>The last version.</summary>
    public long Version
    {
        get { lock (_gate) return _version; }
    }

    /// <summary>All requests so far.</summary>
    public IReadOnlyList<FakeRequest> Requests
    {
        get { lock (_gate) return [.. _requests]; }
    }

    public static async Task<FakeApiServer> StartAsync(FakeApiServerOptions? options = null)
    {
        var server = new FakeApiServer(options ?? new FakeApiServerOptions());
        await server.ResumeAsync();
        return server;
    }

    /// <summary>Creates or replaces an object; its <c>metadata</c> says which.</summary>
    public void Set(string resource, JsonObject value)
    {
        lock (_gate)
        {
            var target = _resources[resource];
            var key = KeyOf(value);
            var after = new StoredObject(key, ++_version, (JsonObject)value.DeepClone(), target.Kind, target.ApiVersion);
            target.Add(new FakeEvent(_version, target.Objects.GetValueOrDefault(key), after));
        }
    }

    /// <summary>As <see cref="Set"/>, but what is sent is malformed.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="like">What the object would be.</param>
    /// <param name="json">Sent as JSON, with <c>$RV</c> replaced by the version.</param>
    /// <param name="protobufTail">Sent after the object as protobuf.</param>
    public void SetMalformed(string resource, JsonObject like, string json, byte[] protobufTail)
    {
        lock (_gate)
        {
            var target = _resources[resource];
            var key = KeyOf(like);
            var bytes = System.Text.Encoding.UTF8.GetBytes(json.Replace("$RV", (++_version).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
            var after = new StoredObject(new StoredObject(key, _version, (JsonObject)like.DeepClone(), target.Kind, target.ApiVersion), bytes, protobufTail);
            target.Add(new FakeEvent(_version, target.Objects.GetValueOrDefault(key), after));
        }
    }

    /// <summary>Fills a resource at once, without history: for large clusters.</summary>
    public void Fill(string resource, IEnumerable<JsonObject> values)
    {
        lock (_gate)
        {
            var target = _resources[resource];
            List<StoredObject> objects = [.. values.Select(value => new StoredObject(KeyOf(value), ++_version, value, target.Kind, target.ApiVersion))];
            target.Fill(objects, _version);
        }
    }

    public void Delete(string resource, string key)
    {
        lock (_gate)
        {
            var target = _resources[resource];
            if (target.Objects.TryGetValue(key, out var before)) target.Add(new FakeEvent(++_version, before, null));
        }
    }

    /// <summary>The keys and versions of what a selector lets through.</summary>
    public IReadOnlyDictionary<string, long> Keys(string resource, string? labels = null, string? fields = null)
    {
        var selector = new Selector(labels, fields);
        lock (_gate) return _resources[resource].Objects.Values.Where(selector.Matches).ToDictionary(value => value.Key, value => value.Version);
    }

    /// <summary>Forgets history: whoever watches from an older version gets a 410.</summary>
    public void Compact()
    {
        lock (_gate)
        {
            foreach (var resource in _resources.Values) resource.Compact(_version);
        }
    }

    /// <summary>Forgets pages: whoever asks for the next one gets a 410.</summary>
    public void ExpirePages()
    {
        lock (_gate) _pages.Clear();
    }

    /// <summary>As after the restore of a backup: versions run backwards, history is gone.</summary>
    public void SetVersionBack(long version)
    {
        lock (_gate)
        {
            _version = version;
            foreach (var resource in _resources.Values) resource.ForgetHistory();
        }
    }

    /// <summary>Whether the server knows the resource at all.</summary>
    public void SetMissing(string resource, bool missing)
    {
        lock (_gate) _resources[resource].IsMissing = missing;
    }

    /// <summary>All watches get a bookmark.</summary>
    public void SendBookmarks()
    {
        lock (_gate)
        {
            foreach (var resource in _resources.Values) resource.SignalBookmark();
        }
    }

    /// <summary>All watches end in order, as they do when their time is over.</summary>
    public void EndWatches()
    {
        lock (_gate)
        {
            foreach (var resource in _resources.Values) resource.SignalEnd();
        }
    }

    /// <summary>Only requests with one of these bearer tokens are answered; null for all.</summary>
    public void AcceptTokens(params string[]? tokens)
    {
        lock (_gate) _tokens = tokens is null ? null : [.. tokens];
    }

    /// <summary>New connections get this certificate.</summary>
    public void SetCertificate(X509Certificate2 certificate)
    {
        lock (_gate) _certificate = certificate;
    }

    /// <summary>The next requests that match get the faults, one each.</summary>
    public void Inject(Func<FakeRequest, bool> matches, params Fault[] faults)
    {
        lock (_gate) _faults.AddRange(faults.Select(fault => (matches, fault)));
    }

    /// <summary>Each request without a fault of its own may get one from here; null ends that.</summary>
    public void SetChaos(Func<FakeRequest, Fault?>? chaos)
    {
        lock (_gate) _chaos = chaos;
    }

    /// <summary>The first request that matches, which may have been already.</summary>
    public Task<FakeRequest> WaitForRequestAsync(Func<FakeRequest, bool> matches)
    {
        lock (_gate)
        {
            if (_requests.Find(request => matches(request)) is { } found) return Task.FromResult(found);
            var source = new TaskCompletionSource<FakeRequest>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((matches, source));
            return source.Task;
        }
    }

    /// <summary>All connections are cut.</summary>
    public void CutConnections()
    {
        List<ConnectionContext> all;
        lock (_gate) all = [.. _connections];
        foreach (var connection in all) connection.Abort();
    }

    /// <summary>All connections are asked to go elsewhere (GOAWAY of HTTP/2): what is open goes on, what is new needs another.</summary>
    public void SendGoAway()
    {
        List<ConnectionContext> all;
        lock (_gate) all = [.. _connections];
        foreach (var connection in all) connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
    }

    /// <summary>Connections that are open.</summary>
    public int Connections
    {
        get { lock (_gate) return _connections.Count; }
    }

    public async ValueTask DisposeAsync()
    {
        _disposed.TrySetResult();
        CutConnections();
        await PauseAsync();
    }

    private static string KeyOf(JsonObject value)
    {
        var metadata = value["metadata"] ?? throw new ArgumentException("no metadata");
        var name = metadata["name"]!.GetValue<string>();
        return metadata["namespace"] is { } space ? $"{space.GetValue<string>()}/{name}" : name;
    }
}
