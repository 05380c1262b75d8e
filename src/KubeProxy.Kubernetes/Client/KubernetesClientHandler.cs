using k8s;

namespace KubeProxy.Kubernetes.Client;

/// <summary>
/// Sends requests through somebody's client: with its credentials, its handlers and its connections, none of which it owns. Reads them
/// anew for each request.
/// </summary>
internal sealed class KubernetesClientHandler(k8s.Kubernetes kubernetes) : HttpMessageHandler
{
    private const string UserAgent = "User-Agent";

    /// <exception cref="ObjectDisposedException">The client is.</exception>
    /// <exception cref="HttpRequestException">The connection, the credentials or a handler failed.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var client = kubernetes.HttpClient ?? throw new ObjectDisposedException(nameof(IKubernetes));
        if (client.DefaultRequestHeaders.Contains(UserAgent)) request.Headers.Remove(UserAgent);
        try
        {
            if (kubernetes.Credentials is { } credentials) await credentials.ProcessHttpRequestAsync(request, cancellationToken);
            // Without the option, a client reads a response to its end first, and a watch has none.
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (Exception e) when (e is not (HttpRequestException or OperationCanceledException or ObjectDisposedException))
        {
            // Whatever those throw who say who we are, and handlers of others: it is a request that failed, and may not the next time.
            throw new HttpRequestException("a handler or the credentials of the client failed", e);
        }
    }
}
