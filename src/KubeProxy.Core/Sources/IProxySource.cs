namespace KubeProxy.Core.Sources;

/// <summary>Where objects come from: an API server, a directory of manifests, memory.</summary>
public interface IProxySource
{
    /// <summary>
    /// Delivers objects until cancelled. Errors that can be retried (a lost connection, an unreadable file) are retried in
    /// here; what this throws ends the proxy.
    /// </summary>
    Task RunAsync(IProxySink sink, CancellationToken cancellationToken);
}
