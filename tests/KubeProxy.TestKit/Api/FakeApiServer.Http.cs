using System.Net;
using System.Net.Security;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeProxy.TestKit.Api;

public sealed partial class FakeApiServer
{
    /// <summary>Listens, again at the same port, with everything as it was.</summary>
    public async Task ResumeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = _options.Bind);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, _port, Listen);
        });
        _app = builder.Build();
        _app.Run(HandleAsync);
        await _app.StartAsync();
        var address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        _port = new Uri(address).Port;
    }

    /// <summary>Stops to listen, and cuts all connections.</summary>
    public async Task PauseAsync()
    {
        if (_app is not { } app) return;
        _app = null;
        CutConnections();
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    private void Listen(ListenOptions listen)
    {
        listen.Use(next => async connection =>
        {
            lock (_gate) _connections.Add(connection);
            try
            {
                await next(connection);
            }
            finally
            {
                lock (_gate) _connections.Remove(connection);
            }
        });
        listen.Protocols = _options.Certificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
        if (_options.Certificate is null) return;
        listen.UseHttps(https =>
        {
            https.ServerCertificateSelector = (_, _) =>
            {
                lock (_gate) return _certificate;
            };
            if (_options.CertificateChain.Count > 0) https.OnAuthenticate = SendChain;
            https.ClientCertificateMode = _options.AsksForClientCertificate ? ClientCertificateMode.AllowCertificate : ClientCertificateMode.NoCertificate;
            https.AllowAnyClientCertificate();
        });
    }

    /// <summary>A certificate that is selected goes without its chain otherwise.</summary>
    private void SendChain(ConnectionContext connection, SslServerAuthenticationOptions options)
    {
        lock (_gate) options.ServerCertificateContext = SslStreamCertificateContext.Create(_certificate!, [.. _options.CertificateChain], offline: true);
        options.ServerCertificateSelectionCallback = null;
    }

    private async Task HandleAsync(HttpContext context)
    {
        var (request, name) = await DescribeAsync(context);
        var (fault, refusal) = Admit(request);
        try
        {
            if (fault is Fault.Drop) context.Abort();
            else if (fault is Fault.Refuse error) await RefuseAsync(context, error.Code, error.Reason, error.RetryAfter);
            else if (refusal is { } code) await RefuseAsync(context, code, code == 401 ? "Unauthorized" : "NotFound");
            else if (context.Request.Method == "POST") await CreateAsync(context, request);
            else if (name is not null) await GetAsync(context, _resources[request.Resource], name);
            else if (request.IsWatch) await WatchAsync(context, request, fault);
            else await ListAsync(context, request, fault);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
    }

    private static async Task CreateAsync(HttpContext context, FakeRequest request)
    {
        context.Response.StatusCode = 201;
        await context.Response.WriteAsync(request.Body);
    }

    private async Task<(FakeRequest Request, string? Name)> DescribeAsync(HttpContext context)
    {
        var parts = context.Request.Path.Value!.Trim('/').Split('/');
        var at = parts[0] == "api" ? 2 : 3;
        var space = "";
        if (parts.Length > at + 2 && parts[at] == "namespaces")
        {
            space = parts[at + 1] + "/";
            at += 2;
        }

        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        lock (_gate)
        {
            var request = new FakeRequest(
                _requests.Count + 1,
                parts.ElementAtOrDefault(at) ?? "",
                context.Request.Query["watch"] == "true",
                context.Request.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString()),
                context.Request.Headers.Authorization.ToString() is { Length: > 0 } authorization ? authorization : null,
                context.Request.Protocol)
            {
                Group = parts[0] == "apis" ? parts[1] : "",
                ClientName = context.Connection.ClientCertificate?.Subject,
                UserAgent = context.Request.Headers.UserAgent.ToString(),
                AcceptEncoding = context.Request.Headers.AcceptEncoding.ToString(),
                Body = body,
            };
            return (request, parts.ElementAtOrDefault(at + 1) is { } name ? space + name : null);
        }
    }

    /// <summary>Takes note of a request, and decides what becomes of it.</summary>
    private (Fault? Fault, int? Refusal) Admit(FakeRequest request)
    {
        lock (_gate)
        {
            _requests.Add(request);
            foreach (var waiter in _waiters.FindAll(waiter => waiter.Matches(request)))
            {
                _waiters.Remove(waiter);
                waiter.Source.SetResult(request);
            }

            if (_tokens is { } tokens && !tokens.Contains(request.Authorization?.Replace("Bearer ", "", StringComparison.Ordinal) ?? "")) return (null, 401);
            var at = _faults.FindIndex(entry => entry.Matches(request));
            var fault = at >= 0 ? _faults[at].Fault : _chaos?.Invoke(request);
            if (at >= 0) _faults.RemoveAt(at);
            var known = request.Resource == "events" || _resources.TryGetValue(request.Resource, out var resource) && !resource.IsMissing;
            return (fault, known ? null : 404);
        }
    }

    private async Task RefuseAsync(HttpContext context, int code, string reason, TimeSpan? retryAfter = null, JsonObject? details = null)
    {
        context.Response.StatusCode = code;
        var encoding = EncodingOf(context);
        context.Response.ContentType = encoding.ContentType;
        if (retryAfter is { } wait) context.Response.Headers.RetryAfter = ((int)wait.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
        await context.Response.Body.WriteAsync(encoding.Status(StatusOf(code, reason, details)), context.RequestAborted);
    }

    private FakeEncoding EncodingOf(HttpContext context) => FakeEncoding.Negotiate(context.Request.Headers.Accept.ToString(), _options.SpeaksProtobuf);

    private static JsonObject StatusOf(int code, string reason, JsonObject? details = null) => new()
    {
        ["kind"] = "Status",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject(),
        ["status"] = "Failure",
        ["message"] = $"{reason} (as told)",
        ["reason"] = reason,
        ["details"] = details,
        ["code"] = code,
    };

    private static JsonObject TooNew() => new()
    {
        ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }),
        ["retryAfterSeconds"] = 1,
    };

    private async Task GetAsync(HttpContext context, FakeResource resource, string name)
    {
        StoredObject? found;
        lock (_gate) found = resource.Objects.GetValueOrDefault(name);
        if (found is null)
        {
            await RefuseAsync(context, 404, "NotFound");
            return;
        }

        var encoding = EncodingOf(context);
        context.Response.ContentType = encoding.ContentType;
        await context.Response.Body.WriteAsync(encoding.Alone(found), context.RequestAborted);
    }
}
