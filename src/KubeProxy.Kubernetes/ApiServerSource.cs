using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Sources;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Objects from the API server: Services, EndpointSlices, the own Node (or all) and ServiceCIDRs, each kind listed and watched on its own.
/// While the server is away, what was read before stays in force, and one watch at a time tries to reach it. Can be run once.
/// </summary>
/// <remarks>
/// Needs the permissions to list and watch <c>services</c>, <c>nodes</c>, <c>endpointslices</c> (discovery.k8s.io) and
/// <c>servicecidrs</c> (networking.k8s.io).
/// </remarks>
public sealed class ApiServerSource : IProxySource
{
    private readonly ApiClient _client;
    private readonly ApiServerSourceOptions _options;
    private readonly ILogger _logger;
    private volatile Reflector[] _reflectors = [];
    private volatile ConnectionJudge? _judge;

    /// <summary>Makes a source.</summary>
    /// <param name="client">The connection to the server; not disposed.</param>
    /// <param name="options">How to list and watch.</param>
    /// <param name="logger">Where to log.</param>
    public ApiServerSource(ApiClient client, ApiServerSourceOptions options, ILogger<ApiServerSource>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.NodeName);
        (_client, _options, _logger) = (client, options, logger ?? NullLogger<ApiServerSource>.Instance);
    }

    /// <summary>The state of each kind; empty before <see cref="RunAsync"/>.</summary>
    public IReadOnlyList<ReflectorStatus> GetStatus() => [.. _reflectors.Select(reflector => reflector.Status)];

    /// <summary>Whether the server answers.</summary>
    public ConnectionStatus GetConnection() => _judge?.Status ?? new ConnectionStatus();

    /// <inheritdoc/>
    public async Task RunAsync(IProxySink sink, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sink);
        using var judge = MakeJudge(sink);
        _judge = judge;
        _reflectors =
        [
            .. ApiResource.Watched(_options.WatchAllNodes ? null : _options.NodeName)
                .Select(kind => new Reflector(_client, kind, sink, judge, _options, _logger)),
        ];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task> running = [.. _reflectors.Select(reflector => reflector.RunAsync(stop.Token))];
        var first = await Task.WhenAny(running);
        await stop.CancelAsync();
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // An answer that was being dealt with when it was cancelled is not why it ends.
        cancellationToken.ThrowIfCancellationRequested();
        await first;
    }

    private ConnectionJudge MakeJudge(IProxySink sink)
    {
        var place = _client.Server.GetLeftPart(UriPartial.Authority);
        var report = new ConnectionReport(place, sink, () => Array.TrueForAll(_reflectors, reflector => reflector.IsSynced), _client.Time, _logger);
        return new ConnectionJudge(new ReconnectPace(_options.FirstReconnect, _options.LongestReconnect, _options.Random), _client.Time, report.Tell);
    }
}
