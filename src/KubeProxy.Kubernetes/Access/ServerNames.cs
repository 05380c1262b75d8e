using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KubeProxy.Kubernetes.Access;

/// <summary>
/// The names that a server's certificate is for: those of its subject alternative names (RFC 6125), never the common name of its
/// subject. The rules are those of Go's <c>crypto/x509</c>, as upstream has them: a <c>*</c> stands for the whole first label and
/// for one label only; an IP address is compared with addresses, never with names.
/// </summary>
internal static class ServerNames
{
    /// <summary>Why a certificate is not for a host; null when it is.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="host">A DNS name, or an IP address with or without brackets.</param>
    public static string? Refuse(X509Certificate2 certificate, string host)
    {
        var extension = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        if (extension is null)
        {
            return $"has no subject alternative names, and has to have {host} among them: the common name of its subject "
                + $"({certificate.Subject}) does not count";
        }

        try
        {
            List<string> names = [.. extension.EnumerateDnsNames()];
            List<IPAddress> addresses = [.. extension.EnumerateIPAddresses()];
            var matches = IPAddress.TryParse(host.Trim('[', ']'), out var address)
                ? addresses.Exists(candidate => Plain(candidate).Equals(Plain(address)))
                : names.Exists(pattern => Matches(pattern, host));
            if (matches) return null;
            List<string> all = [.. names, .. addresses.Select(each => each.ToString())];
            return $"is for {(all.Count > 0 ? string.Join(", ", all) : "no name or address")}, not for {host}";
        }
        catch (CryptographicException e)
        {
            return "has subject alternative names that cannot be read: " + e.Message;
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool Matches(string pattern, string host)
    {
        var wanted = pattern.Split('.');
        var labels = (host.EndsWith('.') ? host[..^1] : host).Split('.');
        if (wanted.Length != labels.Length || labels.Contains("")) return false;
        for (var i = 0; i < labels.Length; i++)
        {
            if (i == 0 && wanted[0] == "*") continue;
            if (!wanted[i].Equals(labels[i], StringComparison.OrdinalIgnoreCase)) return false;
        }

        return true;
    }
}
