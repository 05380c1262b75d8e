using System.Diagnostics.Metrics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Kubernetes.Access;
using KubeProxy.Kubernetes.Wire;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Talks to the API server: one connection (HTTP/2 over TLS), credentials that are as fresh as their files, a rate limit, and
/// no time limit but on silence. Thread-safe; made once for all its users.
/// </summary>
public sealed partial class ApiClient : IDisposable
{
    private const int MaxErrorBytes = 64 * 1024;

    private readonly ApiServerAccess _access;
    private readonly ApiCredentials _credentials;
    private readonly ApiConnections _connections;
    private readonly RequestPacer _pacer;
    private readonly WireFormats _formats;
    private readonly string _prefix;

    /// <summary>Makes a client, and reads certificates and tokens once to find mistakes early. Connects later.</summary>
    /// <param name="access">Where the server is and who we are.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    /// <param name="meterFactory">Makes the meter <c>KubeProxy</c>; without one the client has a meter of its own.</param>
    /// <exception cref="ApiAccessException">A file is missing, or its content cannot be used.</exception>
    public ApiClient(
        ApiServerAccess access,
        ApiClientOptions? options = null,
        TimeProvider? time = null,
        ILogger<ApiClient>? logger = null,
        IMeterFactory? meterFactory = null)
    {
        ArgumentNullException.ThrowIfNull(access);
        _access = access;
        Options = options ?? new ApiClientOptions();
        Time = time ?? TimeProvider.System;
        Metrics = new ClientMetrics(meterFactory, access.Server.Authority);
        _prefix = access.Server.GetLeftPart(UriPartial.Path).TrimEnd('/');
        _pacer = new RequestPacer(Options.Qps, Options.Burst, Time);
        _connections = new ApiConnections(access, Options, Metrics, Time);
        _formats = new WireFormats(Options.AcceptContentTypes, Options.OmitManagedFields);
        logger ??= NullLogger<ApiClient>.Instance;
        if (_formats.Unknown.Count > 0) LogUnknownContentTypes(logger, string.Join(", ", _formats.Unknown), _formats.Accept);
        _credentials = new ApiCredentials(access, Time, logger, Metrics);
        _credentials.Check();
    }

    /// <summary>The address of the server.</summary>
    public Uri Server => _access.Server;

    internal ApiClientOptions Options { get; }

    internal TimeProvider Time { get; }

    internal ClientMetrics Metrics { get; }

    /// <summary>Reads one object; null if there is none. Does not retry.</summary>
    /// <exception cref="ApiRequestException">The server refused, or cannot be reached.</exception>
    /// <exception cref="KubernetesObjectException">What the server sent cannot be read.</exception>
    public async Task<KubernetesObject?> GetAsync(ObjectKind kind, NamespacedName name, CancellationToken cancellationToken)
    {
        try
        {
            var path = ApiResource.Of(kind).PathOf(name);
            using var response = await OpenAsync(HttpMethod.Get, path, null, true, cancellationToken);
            return await response.ReadObjectAsync(kind);
        }
        catch (ApiRequestException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Creates an object, such as an Event. Does not retry.</summary>
    /// <param name="path">The path of the collection, such as <c>/apis/events.k8s.io/v1/namespaces/default/events</c>.</param>
    /// <param name="json">The object.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ApiRequestException">The server refused, or cannot be reached.</exception>
    public async Task CreateAsync(string path, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var response = await OpenAsync(HttpMethod.Post, path, json, true, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _connections.Dispose();
        _credentials.Dispose();
        Metrics.Dispose();
    }

    /// <summary>Sends a request, with fresh credentials a second time if the server refuses the first ones.</summary>
    /// <param name="method">GET or POST.</param>
    /// <param name="path">The path and the query.</param>
    /// <param name="content">The body, JSON; null for none.</param>
    /// <param name="paced">Whether the rate limit counts it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="compress">Whether much is expected, so that the server may compress it.</param>
    /// <exception cref="ApiRequestException">The server refused, or cannot be reached.</exception>
    internal async Task<ApiResponse> OpenAsync(
        HttpMethod method, string path, ReadOnlyMemory<byte>? content, bool paced, CancellationToken cancellationToken, bool compress = false)
    {
        if (paced) Metrics.MeasureLimiter(method.Method, await _pacer.WaitAsync(cancellationToken));
        try
        {
            var credentials = await _credentials.GetAsync(cancellationToken);
            try
            {
                return await SendAsync(method, path, content, compress, credentials, cancellationToken);
            }
            catch (ApiRequestException e) when (e.StatusCode == HttpStatusCode.Unauthorized)
            {
                _credentials.Refuse(credentials);
                var fresh = await _credentials.GetAsync(cancellationToken);
                if (fresh == credentials) throw;
                Metrics.CountRetry(method.Method, "401");
                return await SendAsync(method, path, content, compress, fresh, cancellationToken);
            }
        }
        catch (ApiAccessException e)
        {
            throw new ApiRequestException(e.Message, e);
        }
    }

    private async Task<ApiResponse> SendAsync(
        HttpMethod method,
        string path,
        ReadOnlyMemory<byte>? content,
        bool compress,
        RequestCredentials credentials,
        CancellationToken cancellationToken)
    {
        var connection = _connections.Use(credentials.Tls);
        var deadline = new IdleDeadline(Options.IdleTimeout, Time, cancellationToken);
        HttpResponseMessage? message = null;
        try
        {
            using var request = MakeRequest(method, path, content, compress, credentials);
            message = await ExchangeAsync(connection, request, cancellationToken);
            var body = await message.Content.ReadAsStreamAsync(cancellationToken);
            if (message.Content.Headers.ContentEncoding.Contains("gzip")) body = new GZipStream(body, CompressionMode.Decompress);
            if (!message.IsSuccessStatusCode) throw await RefusalAsync(message, body, deadline);
            return new ApiResponse(
                message,
                body,
                _formats.Of(message.Content.Headers.ContentType),
                connection,
                deadline,
                Options.MaxObjectBytes,
                bytes => Metrics.MeasureResponseSize(method.Method, bytes));
        }
        catch
        {
            message?.Dispose();
            deadline.Dispose();
            connection.Dispose();
            throw;
        }
    }

    private HttpRequestMessage MakeRequest(
        HttpMethod method, string path, ReadOnlyMemory<byte>? content, bool compress, RequestCredentials credentials)
    {
        var request = new HttpRequestMessage(method, new Uri(_prefix + path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        // The handler takes the name for SNI, and for checking the certificate, from here, and from nowhere else.
        if (_access.TlsServerName is { } name) request.Headers.Host = name;
        request.Headers.TryAddWithoutValidation("Accept", _formats.Accept);
        if (compress && Options.Compress) request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip");
        request.Headers.TryAddWithoutValidation("User-Agent", Options.UserAgent);
        if (credentials.Authorization is { } authorization)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        foreach (var (header, value) in _access.Headers) request.Headers.TryAddWithoutValidation(header, value);
        if (content is { } bytes)
        {
            request.Content = new ReadOnlyMemoryContent(bytes);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", WireFormats.Json);
        }

        return request;
    }

    private async Task<HttpResponseMessage> ExchangeAsync(
        ApiConnection connection, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var deadline = new IdleDeadline(Options.ResponseTimeout, Time, cancellationToken);
        var verb = request.Method.Method;
        var start = Time.GetTimestamp();
        var code = "<error>";
        try
        {
            var message = await deadline.GuardAsync<HttpResponseMessage>(token => new(connection.Invoker.SendAsync(request, token)));
            code = ((int)message.StatusCode).ToString(CultureInfo.InvariantCulture);
            return message;
        }
        finally
        {
            Metrics.CountRequest(verb, code);
            Metrics.MeasureRequestSize(verb, request.Content?.Headers.ContentLength ?? 0);
            Metrics.MeasureRequest(verb, Time.GetElapsedTime(start));
        }
    }

    private async Task<ApiRequestException> RefusalAsync(HttpResponseMessage message, Stream body, IdleDeadline deadline)
    {
        var bytes = new byte[MaxErrorBytes];
        var length = 0;
        try
        {
            while (length < bytes.Length)
            {
                var count = await deadline.GuardAsync(token => body.ReadAsync(bytes.AsMemory(length), token));
                if (count == 0) break;
                length += count;
            }
        }
        catch (ApiRequestException)
        {
            // The status code says enough.
        }

        var retry = message.Headers.RetryAfter?.Delta;
        var status = _formats.Of(message.Content.Headers.ContentType).ReadStatusBody(bytes.AsSpan(0, length));
        return ApiRequestException.Of(status, message.StatusCode, retry);
    }

    [LoggerMessage(EventId = 413, Level = LogLevel.Warning,
        Message = "The API server is not asked for {Unknown}, which this client does not understand; it is asked for {Accept}")]
    private static partial void LogUnknownContentTypes(ILogger logger, string unknown, string accept);
}
