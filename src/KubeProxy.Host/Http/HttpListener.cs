using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KubeProxy.Host.Http;

/// <summary>
/// A plain HTTP server on some addresses with one handler: Kestrel without the rest of ASP.NET, so that servers can come and go at
/// run time at little cost.
/// </summary>
internal sealed class HttpListener : IAsyncDisposable
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(1);

    private readonly KestrelServer _server;

    private HttpListener(KestrelServer server, IReadOnlyList<IPEndPoint> endPoints) => (_server, EndPoints) = (server, endPoints);

    /// <summary>Where it listens, as far as these are addresses.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints { get; }

    /// <summary>Listens on all addresses, or on none and throws.</summary>
    /// <exception cref="SocketException">One of the addresses cannot be listened on.</exception>
    public static Task<HttpListener> StartAsync(
        IReadOnlyList<ListenAddress> addresses, HttpHandler handler, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        StartAsync(BindAll(addresses), handler, loggers, cancellationToken);

    /// <summary>Listens on sockets that are bound, and takes them over.</summary>
    /// <exception cref="SocketException">One of them cannot be listened on.</exception>
    public static async Task<HttpListener> StartAsync(
        IReadOnlyList<Socket> sockets, HttpHandler handler, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        KestrelServer? server = null;
        try
        {
            var byEndPoint = sockets.ToDictionary(socket => socket.LocalEndPoint!);
            server = CreateServer(byEndPoint, loggers);
            await server.StartAsync(new Application(handler), cancellationToken);
            return new HttpListener(server, [.. byEndPoint.Keys.OfType<IPEndPoint>()]);
        }
        catch
        {
            server?.Dispose();
            foreach (var socket in sockets) socket.Dispose();
            throw;
        }
    }

    /// <summary>Closes the sockets, and connections after a second.</summary>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(StopTime);
        await _server.StopAsync(limit.Token);
        _server.Dispose();
    }

    private static List<Socket> BindAll(IReadOnlyList<ListenAddress> addresses)
    {
        List<Socket> sockets = [];
        try
        {
            foreach (var address in addresses) sockets.Add(address.Bind());
            return sockets;
        }
        catch
        {
            foreach (var socket in sockets) socket.Dispose();
            throw;
        }
    }

    private static KestrelServer CreateServer(Dictionary<EndPoint, Socket> sockets, ILoggerFactory loggers)
    {
        var options = new KestrelServerOptions { AddServerHeader = false, ApplicationServices = NoServices.Instance };
        options.Limits.MaxRequestBodySize = 64 * 1024;
        options.Limits.MaxConcurrentConnections = 1024;
        foreach (var endPoint in sockets.Keys) options.Listen(endPoint, listen => listen.Protocols = HttpProtocols.Http1);
        var transport = new SocketTransportOptions { IOQueueCount = 1, CreateBoundListenSocket = endPoint => sockets[endPoint] };
        return new KestrelServer(Options.Create(options), new SocketTransportFactory(Options.Create(transport), loggers), loggers);
    }

    private sealed class Application(HttpHandler handler) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public async Task ProcessRequestAsync(HttpContext context)
        {
            var reply = await handler(context.Request);
            await reply.SendAsync(context.Response, context.RequestAborted);
        }

        public void DisposeContext(HttpContext context, Exception? exception) { }
    }

    private sealed class NoServices : IServiceProvider
    {
        public static NoServices Instance { get; } = new();

        public object? GetService(Type serviceType) => null;
    }
}
