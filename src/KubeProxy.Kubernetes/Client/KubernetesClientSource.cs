using KubeProxy.Core.Sources;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Kubernetes.Client;

/// <summary>
/// Objects from the API server that somebody's client is connected to; see <see cref="KubernetesClientExtensions.AsProxySource"/>. What
/// is said of <see cref="ApiServerSource"/> holds for it too. Can be run once.
/// </summary>
public sealed class KubernetesClientSource : IProxySource
{
    private readonly ApiServerAccess _access;
    private readonly ApiServerSourceOptions _options;
    private readonly ApiClientOptions? _client;
    private readonly ILoggerFactory? _loggers;
    private volatile ApiServerSource? _source;

    internal KubernetesClientSource(
        ApiServerAccess access, ApiServerSourceOptions options, ApiClientOptions? client, ILoggerFactory? loggers)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.NodeName);
        (_access, _options, _client, _loggers) = (access, options, client, loggers);
    }

    /// <inheritdoc cref="ApiServerSource.GetStatus"/>
    public IReadOnlyList<ReflectorStatus> GetStatus() => _source?.GetStatus() ?? [];

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">Somebody disposed the client meanwhile; noticed when the next request is to be sent.</exception>
    public async Task RunAsync(IProxySink sink, CancellationToken cancellationToken)
    {
        using var client = new ApiClient(_access, _client, logger: _loggers?.CreateLogger<ApiClient>());
        _source = new ApiServerSource(client, _options, _loggers?.CreateLogger<ApiServerSource>());
        await _source.RunAsync(sink, cancellationToken);
    }
}
