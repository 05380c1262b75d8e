using k8s;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Kubernetes.Client;

/// <summary>Lists and watches through a client of the package KubernetesClient, with whatever it knows of credentials.</summary>
public static class KubernetesClientExtensions
{
    /// <summary>
    /// A source over a client: its credentials, its handlers and its connections, and the lists and watches of this package, which resume,
    /// deal with a 410 and bookmarks, and read protobuf.
    /// </summary>
    /// <param name="kubernetes">A <see cref="k8s.Kubernetes"/>. Not disposed; while the source runs, it must not be.</param>
    /// <param name="options">How to list and watch.</param>
    /// <param name="client">Limits; null for the defaults. A user agent that the client has goes before the one in here.</param>
    /// <param name="loggers">Where to log; null for nowhere.</param>
    /// <exception cref="ArgumentException"><paramref name="kubernetes"/> is another implementation, or the options name no node.</exception>
    public static KubernetesClientSource AsProxySource(
        this IKubernetes kubernetes, ApiServerSourceOptions options, ApiClientOptions? client = null, ILoggerFactory? loggers = null) =>
        new(kubernetes.ToApiServerAccess(), options, client, loggers);

    /// <summary>
    /// The access that a client has, for an <see cref="ApiClient"/> of one's own, with a clock, a meter and so on. Address, credentials,
    /// handlers and connections are the client's.
    /// </summary>
    /// <remarks>
    /// A client does not tell which <c>tls-server-name</c> it was made with; who needs one adds it:
    /// <c>kubernetes.ToApiServerAccess() with { TlsServerName = "..." }</c>.
    /// </remarks>
    /// <param name="kubernetes">A <see cref="k8s.Kubernetes"/>. Not disposed; while the access is used, it must not be.</param>
    /// <exception cref="ArgumentException">
    /// It is another implementation, and <see cref="IKubernetes"/> has no way to send a request of our own. Who has the HttpClient behind it
    /// makes an <see cref="ApiServerAccess"/> with a handler.
    /// </exception>
    public static ApiServerAccess ToApiServerAccess(this IKubernetes kubernetes)
    {
        ArgumentNullException.ThrowIfNull(kubernetes);
        if (kubernetes is not k8s.Kubernetes known)
        {
            throw new ArgumentException(
                $"{kubernetes.GetType()} is no k8s.Kubernetes, and does not tell how it sends requests; make an {nameof(ApiServerAccess)} with a {nameof(ApiServerAccess.Handler)}.",
                nameof(kubernetes));
        }

        return new ApiServerAccess { Server = known.BaseUri, Handler = new KubernetesClientHandler(known) };
    }
}
