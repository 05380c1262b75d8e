using KubeProxy.Kubernetes.Access;

namespace KubeProxy.Kubernetes;

/// <summary>
/// Where the API server is, how to know that it is the right one, and who we are. From a kubeconfig
/// (<see cref="Kubeconfig"/>), a service account (<see cref="InCluster"/>), or made by hand.
/// </summary>
public sealed record ApiServerAccess
{
    private readonly Uri _server = null!;

    /// <summary>The address: http or https; a path is a prefix of all requests.</summary>
    /// <exception cref="ArgumentException">It is not such an address.</exception>
    public required Uri Server
    {
        get => _server;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            if (!value.IsAbsoluteUri || value.Scheme is not ("https" or "http"))
                throw new ArgumentException($"{value} is not an http or https address.", nameof(value));
            _server = value;
        }
    }

    /// <summary>
    /// PEM certificates of those who may have signed the server's; null for the system's. Need not be the same for long.
    /// </summary>
    public SecretContent? CertificateAuthority { get; init; }

    /// <summary>
    /// The name that the server's certificate must have, and that is asked for (SNI, and <c>Host</c>); null for that of <see
    /// cref="Server"/>.
    /// </summary>
    public string? TlsServerName { get; init; }

    /// <summary>Whether the server's certificate is not checked at all.</summary>
    public bool InsecureSkipTlsVerify { get; init; }

    /// <summary>Our certificate, and those that link it to its authority (PEM).</summary>
    public SecretContent? ClientCertificate { get; init; }

    /// <summary>The key of <see cref="ClientCertificate"/> (PEM).</summary>
    public SecretContent? ClientKey { get; init; }

    /// <summary>
    /// A bearer token; one that is in a file is read for each request. Surrounding white space is not part of it.
    /// </summary>
    public SecretContent? Token { get; init; }

    /// <summary>The token when that in the file cannot be read.</summary>
    public string? FallbackToken { get; init; }

    /// <summary>The user of basic authentication; null for none.</summary>
    public string? Username { get; init; }

    /// <summary>The password of <see cref="Username"/>.</summary>
    public string? Password { get; init; }

    /// <summary>A program that knows who we are.</summary>
    public ExecPluginConfig? Exec { get; init; }

    /// <summary>
    /// The proxy (http, https, socks5); null for that of the environment (<c>HTTPS_PROXY</c>, <c>NO_PROXY</c>).
    /// </summary>
    public Uri? ProxyUrl { get; init; }

    /// <summary>
    /// Sends the requests, in place of connections of our own; not disposed. TLS, proxy and timeouts of the network are its matter then, and
    /// certificates given here are not looked at; tokens, <see cref="TlsServerName"/> and <see cref="Headers"/> are put into each request as
    /// always. It must hand over a response as soon as its head is there: one that waits for the end never hands over a watch.
    /// </summary>
    public HttpMessageHandler? Handler { get; init; }

    /// <summary>Headers of each request beyond those of authentication, such as <c>Impersonate-User</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The same at another address (<c>--master</c>).</summary>
    /// <exception cref="ApiAccessException">It is not an address.</exception>
    public ApiServerAccess WithServer(string master) => this with { Server = ParseServer(master, "--master", "") };

    /// <summary>Only an address, and nothing about who we are (<c>--master</c> without a kubeconfig).</summary>
    /// <exception cref="ApiAccessException">It is not an address.</exception>
    public static ApiServerAccess Anonymous(string master) => new() { Server = ParseServer(master, "--master", "") };

    /// <summary>An address without a scheme is one of http, unless something was said about TLS (as upstream has it).</summary>
    internal static Uri ParseServer(string text, string file, string field, bool secure = false)
    {
        var full = text.Contains("://", StringComparison.Ordinal) ? text : (secure ? "https://" : "http://") + text;
        return Uri.TryCreate(full, UriKind.Absolute, out var server) && server.Scheme is ("https" or "http")
            && server.Host.Length > 0
            ? server
            : throw new ApiAccessException(file, field, $"\"{text}\" is not an http or https address");
    }
}
