using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KubeProxy.Kubernetes.Access;

/// <summary>The service account of the pod that we run in.</summary>
public static class InCluster
{
    /// <summary>Where the kubelet puts it.</summary>
    public const string DefaultDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

    private const string HostVariable = "KUBERNETES_SERVICE_HOST";
    private const string PortVariable = "KUBERNETES_SERVICE_PORT";

    /// <summary>Reads where the server is; token and CA are read when needed, for the kubelet rotates them.</summary>
    /// <param name="environment">Reads a variable; that of the process by default.</param>
    /// <param name="directory">Where token and CA are.</param>
    /// <exception cref="ApiAccessException">We are not in a pod, or it has no service account.</exception>
    public static ApiServerAccess Load(Func<string, string?>? environment = null, string directory = DefaultDirectory)
    {
        environment ??= Environment.GetEnvironmentVariable;
        var host = Required(environment, HostVariable);
        var port = Required(environment, PortVariable);
        if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            throw new ApiAccessException(PortVariable, "", $"\"{port}\" is not a port");
        var isV6 = IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;
        var authority = isV6 ? $"[{host}]" : host;
        var token = Path.Combine(directory, "token");
        var ca = Path.Combine(directory, "ca.crt");
        foreach (var file in new[] { token, ca })
        {
            if (!File.Exists(file))
                throw new ApiAccessException(file, "", "missing: the pod has no service account token mounted");
        }

        return new ApiServerAccess
        {
            Server = ApiServerAccess.ParseServer($"https://{authority}:{number}", HostVariable, ""),
            CertificateAuthority = SecretContent.OfFile(ca),
            Token = SecretContent.OfFile(token),
        };
    }

    private static string Required(Func<string, string?> environment, string name) =>
        environment(name) is { Length: > 0 } value
            ? value
            : throw new ApiAccessException(name, "", "not set: not in a pod, so a kubeconfig or a master address is needed");
}
