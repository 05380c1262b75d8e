using System.Net;
using KubeProxy.Core.Kubernetes.Api.Access;

namespace KubeProxy.Core.Kubernetes.Api;

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

    private readonly SocketsHttpHandler _handler;
    private int _uses = 1;

    public ApiConnection(ApiServerAccess access, TlsMaterial? tls, ApiClientOptions options)
    {
        Tls = tls;
        _handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout,
            KeepAlivePingDelay = options.PingDelay,
            KeepAlivePingTimeout = options.PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            InitialHttp2StreamWindowSize = StreamWindow,
        };
        if ((access.ProxyUrl ?? EnvironmentProxy.For(access.Server, Environment.GetEnvironmentVariable)) is { } proxy)
            _handler.Proxy = ToProxy(proxy);
        else _handler.UseProxy = false;
        if (tls is not null) _handler.SslOptions = tls.ToOptions();
        Invoker = new HttpMessageInvoker(_handler, disposeHandler: false);
    }

    public TlsMaterial? Tls { get; }

    public HttpMessageInvoker Invoker { get; }

    private static WebProxy ToProxy(Uri address)
    {
        var proxy = new WebProxy(address);
        if (address.UserInfo.Length == 0) return proxy;
        var parts = address.UserInfo.Split(':', 2);
        proxy.Credentials = new NetworkCredential(Uri.UnescapeDataString(parts[0]),
            Uri.UnescapeDataString(parts.ElementAtOrDefault(1) ?? ""));
        return proxy;
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
        _handler.Dispose();
    }
}

/// <summary>The connection to use now; another one as soon as certificates change. Thread-safe.</summary>
internal sealed class ApiConnections(ApiServerAccess access, ApiClientOptions options) : IDisposable
{
    private readonly Lock _gate = new();
    private ApiConnection? _current;

    /// <summary>To be disposed by the caller.</summary>
    /// <exception cref="ApiAccessException">The certificates cannot be used.</exception>
    public ApiConnection Use(TlsMaterial? tls)
    {
        lock (_gate)
        {
            if (_current is null || !Equals(_current.Tls, tls))
            {
                var next = new ApiConnection(access, tls, options);
                _current?.Dispose();
                _current = next;
            }

            return _current.TryUse() ? _current : throw new ObjectDisposedException(nameof(ApiConnections));
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _current?.Dispose();
            _current = null;
        }
    }
}
