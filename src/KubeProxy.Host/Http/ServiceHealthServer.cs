using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Http;

/// <summary>
/// Serves <c>spec.healthCheckNodePort</c>: each Service with one gets its own listener, which tells load balancers how many of its
/// endpoints are on this node. Listeners open and close as Services come and go; one that cannot open is tried again.
/// </summary>
internal sealed partial class ServiceHealthServer : BackgroundService
{
    private static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(5);

    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, IndentCharacter = '\t', IndentSize = 1, NewLine = "\n",
    };

    private readonly Dictionary<Key, HttpListener> _open = [];
    private readonly ConcurrentDictionary<Key, int> _localEndpoints = new();
    private readonly SemaphoreSlim _changed = new(1, 1);
    private readonly ServiceHealthTable _table;
    private readonly Func<IpFamily, IReadOnlyList<ListenAddress>> _addresses;
    private readonly ProxyHealth _health;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <param name="table">What to serve.</param>
    /// <param name="addresses">Where to listen, by family; the ports are filled in here.</param>
    /// <param name="health">The proxy's own health, which goes into the answers.</param>
    /// <param name="loggers">For this and Kestrel.</param>
    /// <param name="time">The clock.</param>
    public ServiceHealthServer(
        ServiceHealthTable table, Func<IpFamily, IReadOnlyList<ListenAddress>> addresses, ProxyHealth health, ILoggerFactory loggers, TimeProvider time)
    {
        (_table, _addresses, _health, _loggers, _time) = (table, addresses, health, loggers, time);
        _logger = loggers.CreateLogger(typeof(ServiceHealthServer).FullName!);
        _table.Changed += OnChanged;
    }

    public override void Dispose()
    {
        _table.Changed -= OnChanged;
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var complete = await ApplyAsync(stoppingToken);
                await _changed.WaitAsync(complete ? Timeout.InfiniteTimeSpan : RetryPeriod, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
        finally
        {
            foreach (var listener in _open.Values) await listener.DisposeAsync();
        }
    }

    /// <summary>The answer for a Service.</summary>
    internal static HttpReply Answer(NamespacedName service, int localEndpoints, bool isHealthy)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("service");
            writer.WriteString("namespace", service.Namespace);
            writer.WriteString("name", service.Name);
            writer.WriteEndObject();
            writer.WriteNumber("localEndpoints", localEndpoints);
            writer.WriteBoolean("serviceProxyHealthy", isHealthy);
            writer.WriteEndObject();
        }

        var status = localEndpoints > 0 && isHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return HttpReply.Json(status, buffer.WrittenMemory) with
        {
            Headers = [new("X-Load-Balancing-Endpoint-Weight", localEndpoints.ToString(CultureInfo.InvariantCulture))],
        };
    }

    private void OnChanged(object? sender, EventArgs arguments)
    {
        if (_changed.CurrentCount == 0) _changed.Release();
    }

    /// <summary>Closes and opens what changed; returns whether everything wanted is open.</summary>
    private async Task<bool> ApplyAsync(CancellationToken cancellationToken)
    {
        var wanted = new Dictionary<Key, int>();
        foreach (var entry in _table.Snapshot()) wanted[new Key(entry.Service, entry.Family, entry.Port)] = entry.LocalEndpoints;
        foreach (var (key, count) in wanted) _localEndpoints[key] = count;

        foreach (var (key, listener) in _open.Where(open => !wanted.ContainsKey(open.Key)).ToList())
        {
            _open.Remove(key);
            _localEndpoints.TryRemove(key, out _);
            await listener.DisposeAsync();
            LogClosed(key.Service, key.Family, key.Port);
        }

        var complete = true;
        foreach (var key in wanted.Keys.Where(key => !_open.ContainsKey(key))) complete &= await TryOpenAsync(key, cancellationToken);
        return complete;
    }

    private async Task<bool> TryOpenAsync(Key key, CancellationToken cancellationToken)
    {
        try
        {
            var addresses = _addresses(key.Family).Select(address => address with { Port = key.Port }).ToList();
            _open[key] = await HttpListener.StartAsync(addresses, _ => new(Answer(key)), _loggers, cancellationToken);
            LogOpened(key.Service, key.Family, key.Port);
            return true;
        }
        catch (Exception problem) when (problem is IOException or SocketException)
        {
            LogCannotListen(key.Service, key.Family, key.Port, problem.Message);
            return false;
        }
    }

    private HttpReply Answer(Key key) => Answer(key.Service, _localEndpoints.GetValueOrDefault(key), _health.Report().Healthy);

    private readonly record struct Key(NamespacedName Service, IpFamily Family, ushort Port);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Opened health check port {Port} ({Family}) of {Service}")]
    private partial void LogOpened(NamespacedName service, IpFamily family, ushort port);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Closed health check port {Port} ({Family}) of {Service}")]
    private partial void LogClosed(NamespacedName service, IpFamily family, ushort port);

    [LoggerMessage(Level = LogLevel.Error, Message = "Cannot listen on health check port {Port} ({Family}) of {Service}: {Reason}")]
    private partial void LogCannotListen(NamespacedName service, IpFamily family, ushort port, string reason);
}
