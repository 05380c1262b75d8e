using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeProxy.Core.Health;
using KubeProxy.Core.Kubernetes;
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

    private readonly Dictionary<Key, Open> _open = [];
    private readonly Dictionary<Key, string> _failures = [];
    private readonly ConcurrentDictionary<Key, int> _localEndpoints = new();
    private readonly SemaphoreSlim _changed = new(1, 1);
    private readonly ServiceHealthTable _table;
    private readonly Func<IpFamily, IReadOnlyList<ListenAddress>> _addresses;
    private readonly Func<NamespacedName, string, Task> _cannotListen;
    private readonly Action<IReadOnlyList<ObjectProblem>> _report;
    private readonly ProxyHealth _health;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <param name="table">What to serve.</param>
    /// <param name="addresses">Where to listen, by family; the ports are filled in here.</param>
    /// <param name="cannotListen">Is told which Service has no listener and why, once until it has one.</param>
    /// <param name="report">Is given all that have no listener, whenever that changes.</param>
    /// <param name="health">The proxy's own health, which goes into the answers.</param>
    /// <param name="loggers">For this and Kestrel.</param>
    /// <param name="time">The clock.</param>
    public ServiceHealthServer(
        ServiceHealthTable table, Func<IpFamily, IReadOnlyList<ListenAddress>> addresses, Func<NamespacedName, string, Task> cannotListen,
        Action<IReadOnlyList<ObjectProblem>> report, ProxyHealth health, ILoggerFactory loggers, TimeProvider time)
    {
        (_table, _addresses, _cannotListen, _report, _health, _loggers, _time) = (table, addresses, cannotListen, report, health, loggers, time);
        _logger = loggers.CreateLogger(typeof(ServiceHealthServer).FullName!);
        _table.Changed += OnChanged;
    }

    /// <summary>The addresses to listen on may be others now. From any thread.</summary>
    public void Recheck() => OnChanged(this, EventArgs.Empty);

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
            foreach (var open in _open.Values) await open.Listener.DisposeAsync();
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

        var failedBefore = _failures.ToDictionary();
        foreach (var key in failedBefore.Keys.Where(key => !wanted.ContainsKey(key))) _failures.Remove(key);
        foreach (var key in _localEndpoints.Keys.Where(key => !wanted.ContainsKey(key))) _localEndpoints.TryRemove(key, out _);
        var addresses = wanted.Keys.Select(key => key.Family).Distinct().ToDictionary(family => family, _addresses);
        foreach (var (key, open) in _open.Where(open => !wanted.ContainsKey(open.Key) || !addresses[open.Key.Family].SequenceEqual(open.Value.Addresses)).ToList())
        {
            _open.Remove(key);
            await open.Listener.DisposeAsync();
            LogClosed(key.Service, key.Family, key.Port);
        }

        foreach (var key in wanted.Keys.Where(key => !_open.ContainsKey(key))) await OpenAsync(key, addresses[key.Family], cancellationToken);
        if (_failures.Count != failedBefore.Count || _failures.Except(failedBefore).Any()) _report([.. _failures.Select(failure => Problem(failure.Key, failure.Value))]);
        return _failures.Count == 0;
    }

    private async Task OpenAsync(Key key, IReadOnlyList<ListenAddress> addresses, CancellationToken cancellationToken)
    {
        try
        {
            var complete = addresses.Select(address => address with { Port = key.Port }).ToList();
            _open[key] = new Open(await HttpListener.StartAsync(complete, _ => new(Answer(key)), _loggers, cancellationToken), addresses);
            _failures.Remove(key);
            LogOpened(key.Service, key.Family, key.Port);
        }
        catch (Exception problem) when (problem is IOException or SocketException)
        {
            var reason = HolderOf(key) is { } holder ? $"Service {holder} has it" : problem.Message;
            var isNew = !_failures.ContainsKey(key);
            _failures[key] = reason;
            if (!isNew) return;
            LogCannotListen(key.Service, key.Family, key.Port, reason);
            _ = _cannotListen(key.Service, $"cannot listen on health check node port {key.Port} ({key.Family}): {reason}");
        }
    }

    private NamespacedName? HolderOf(Key wanted)
    {
        foreach (var key in _open.Keys)
            if (key.Port == wanted.Port && key.Family == wanted.Family) return key.Service;
        return null;
    }

    private static ObjectProblem Problem(Key key, string reason) => new(
        ObjectKind.Service.ToName(), key.Service, "spec.healthCheckNodePort",
        $"cannot listen on port {key.Port} ({key.Family}), so load balancers take this node for unhealthy; it is tried again: {reason}");

    private HttpReply Answer(Key key) => Answer(key.Service, _localEndpoints.GetValueOrDefault(key), _health.Report().Healthy);

    private sealed record Open(HttpListener Listener, IReadOnlyList<ListenAddress> Addresses);

    private readonly record struct Key(NamespacedName Service, IpFamily Family, ushort Port);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Opened health check port {Port} ({Family}) of {Service}")]
    private partial void LogOpened(NamespacedName service, IpFamily family, ushort port);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Closed health check port {Port} ({Family}) of {Service}")]
    private partial void LogClosed(NamespacedName service, IpFamily family, ushort port);

    [LoggerMessage(Level = LogLevel.Error, Message = "Cannot listen on health check port {Port} ({Family}) of {Service}: {Reason}")]
    private partial void LogCannotListen(NamespacedName service, IpFamily family, ushort port, string reason);
}
