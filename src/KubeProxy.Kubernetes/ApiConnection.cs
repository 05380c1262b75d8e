using System.Net;
using KubeProxy.Kubernetes.Access;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Connections made with one set of certificates. Lives until it is retired and the last response on it is done.
/// </summary>
internal sealed class ApiConnection : IDisposable
{
    /// <summary>
    /// What may be on its way to us, in bytes: enough for a list at full speed. .NET lets it grow to 16 MiB a stream unless the
    /// program switches <c>System.Net.SocketsHttpHandler.Http2FlowControl.DisableDynamicWindowSizing</c> on, which it should.
    /// </summary>
    private const int StreamWindow = 512 * 1024;

    private readonly SocketsHttpHandler? _handler;
    private readonly ServerAddresses _addresses;
    private readonly Dialer _dialer;
    private int _uses = 1;

    public ApiConnection(
        ApiServerAccess access, TlsMaterial? tls, ApiClientOptions options, ServerAddresses addresses, Dialer dialer)
    {
        (Tls, _addresses, _dialer) = (tls, addresses, dialer);
        if (access.Handler is null) _handler = MakeHandler(access, tls, options);
        Invoker = new HttpMessageInvoker(access.Handler ?? _handler!, disposeHandler: false);
    }

    public TlsMaterial? Tls { get; }

    public HttpMessageInvoker Invoker { get; }

    private SocketsHttpHandler MakeHandler(ApiServerAccess access, TlsMaterial? tls, ApiClientOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout,
            ConnectCallback = ConnectAsync,
            KeepAlivePingDelay = options.PingDelay,
            KeepAlivePingTimeout = options.PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            InitialHttp2StreamWindowSize = StreamWindow,
        };
        if ((access.ProxyUrl ?? EnvironmentProxy.For(access.Server, Environment.GetEnvironmentVariable)) is { } proxy)
            handler.Proxy = ToProxy(proxy);
        else handler.UseProxy = false;
        if (tls is not null) handler.SslOptions = tls.ToOptions();
        return handler;
    }

    private static WebProxy ToProxy(Uri address)
    {
        var proxy = new WebProxy(address);
        if (address.UserInfo.Length == 0) return proxy;
        var parts = address.UserInfo.Split(':', 2);
        proxy.Credentials = new NetworkCredential(Uri.UnescapeDataString(parts[0]),
            Uri.UnescapeDataString(parts.ElementAtOrDefault(1) ?? ""));
        return proxy;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var target = context.DnsEndPoint;
        var addresses = await _addresses.GetAsync(target.Host, cancellationToken);
        return await _dialer.ConnectAsync(addresses, target.Port, cancellationToken);
    }

    /// <summary>Keeps it alive; false when it is gone already.</summary>
    public bool TryUse()
    {
        for (var uses = Volatile.Read(ref _uses); uses > 0; uses = Volatile.Read(ref _uses))
        {
            if (Interlocked.CompareExchange(ref _uses, uses + 1, uses) == uses) return true;
        }

        return false;
    }

    /// <summary>Ends a use; the first use is that of whoever made it.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _uses) > 0) return;
        Invoker.Dispose();
        _handler?.Dispose();
    }
}

/// <summary>The connection to use now; another one as soon as certificates change. Thread-safe.</summary>
internal sealed class ApiConnections(
    ApiServerAccess access, ApiClientOptions options, ClientMetrics metrics, TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ServerAddresses _addresses = new(options.Resolve, metrics, time);
    private readonly Dialer _dialer = new(time);
    private ApiConnection? _current;

    /// <summary>To be disposed by the caller.</summary>
    /// <exception cref="ApiAccessException">The certificates cannot be used.</exception>
    public ApiConnection Use(TlsMaterial? tls)
    {
        lock (_gate)
        {
            var isNew = _current is null || !Equals(_current.Tls, tls);
            if (isNew)
            {
                var next = new ApiConnection(access, tls, options, _addresses, _dialer);
                _current?.Dispose();
                _current = next;
                metrics.SetTransports(1);
            }

            metrics.CountTransport(isNew);
            return _current!.TryUse() ? _current : throw new ObjectDisposedException(nameof(ApiConnections));
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _current?.Dispose();
            _current = null;
            metrics.SetTransports(0);
        }
    }
}
