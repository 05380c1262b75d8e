using System.Net;
using System.Net.Sockets;

namespace KubeProxy.Host.Inspection;

/// <summary>The running proxy cannot be asked; the message is for an operator.</summary>
/// <param name="message">Why.</param>
/// <param name="cause">What was thrown.</param>
internal sealed class RunningProxyException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>The proxy that runs on this node, asked over its socket.</summary>
/// <param name="path">The socket.</param>
/// <param name="timeout">How long to wait for an answer.</param>
internal sealed class RunningProxy(string path, TimeSpan timeout) : IDisposable
{
    private const int LargestAnswer = 64 * 1024 * 1024;

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, ConnectCallback = (_, token) => ConnectAsync(path, token) })
    {
        Timeout = timeout, MaxResponseContentBufferSize = LargestAnswer, BaseAddress = new Uri("http://kube-proxy"),
    };

    /// <summary>Asks for a page.</summary>
    /// <param name="page">Path and query.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The body.</returns>
    /// <exception cref="RunningProxyException">There is no proxy, or it does not answer, or it refuses; the message says why.</exception>
    public async Task<byte[]> GetAsync(string page, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _client.GetAsync(new Uri(page, UriKind.Relative), cancellationToken);
            if (response.StatusCode == HttpStatusCode.OK) return await response.Content.ReadAsByteArrayAsync(cancellationToken);
            throw new RunningProxyException((await response.Content.ReadAsStringAsync(cancellationToken)).Trim());
        }
        catch (HttpRequestException problem)
        {
            // For a path that is not there .NET says that an address cannot be assigned.
            var reason = File.Exists(path) ? problem.InnerException?.Message ?? problem.Message : "it is not there, or may not be seen";
            throw new RunningProxyException(
                $"the running proxy cannot be asked on {path} ({reason}): is it running, with this --socket, and is this root?", problem);
        }
        catch (OperationCanceledException problem) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RunningProxyException($"the running proxy did not answer on {path} within {timeout.TotalSeconds:0} s", problem);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
