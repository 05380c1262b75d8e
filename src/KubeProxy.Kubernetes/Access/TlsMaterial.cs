using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KubeProxy.Kubernetes.Access;

/// <summary>
/// All certificates that a connection is made with, as they were read. A connection belongs to one material; with another one
/// comes another connection.
/// </summary>
internal sealed class TlsMaterial(byte[]? authorities, byte[]? certificate, byte[]? key, ApiServerAccess access)
    : IEquatable<TlsMaterial>
{
    public byte[]? Authorities => authorities;

    public byte[]? Certificate => certificate;

    public byte[]? Key => key;

    public bool Equals(TlsMaterial? other) => other is not null
        && authorities.AsSpan().SequenceEqual(other.Authorities)
        && certificate.AsSpan().SequenceEqual(other.Certificate)
        && key.AsSpan().SequenceEqual(other.Key);

    public override bool Equals(object? obj) => Equals(obj as TlsMaterial);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(authorities);
        hash.AddBytes(certificate);
        return hash.ToHashCode();
    }

    /// <summary>The options of a TLS connection.</summary>
    /// <exception cref="ApiAccessException">A certificate or the key cannot be read.</exception>
    public SslClientAuthenticationOptions ToOptions()
    {
        var options = new SslClientAuthenticationOptions();
        if (access.InsecureSkipTlsVerify)
        {
#pragma warning disable CA5359 // Accepting any certificate is what insecure-skip-tls-verify asks for.
            options.RemoteCertificateValidationCallback = AcceptAnything;
#pragma warning restore CA5359
            options.CertificateChainPolicy = ServerTrust.MakePolicy([]);
        }
        else
        {
            var bundle = authorities is null ? null : ReadAuthorities(authorities);
            options.RemoteCertificateValidationCallback = new ServerTrust(bundle, OriginOf(bundle)).Check;
            options.CertificateChainPolicy = ServerTrust.MakePolicy(bundle);
        }

        if (certificate is not null && key is not null)
            options.ClientCertificateContext = ReadClientCertificate(certificate, key);
        return options;
    }

    private static bool AcceptAnything(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        true;

    private string OriginOf(X509Certificate2Collection? bundle) =>
        bundle is null ? "the certificate authorities of the system" : access.CertificateAuthority!.Describe();

    private X509Certificate2Collection ReadAuthorities(byte[] pem)
    {
        var result = new X509Certificate2Collection();
        try
        {
            result.ImportFromPem(Encoding.UTF8.GetString(pem));
        }
        catch (CryptographicException e)
        {
            throw access.CertificateAuthority!.Failure("has a certificate that cannot be read: " + e.Message, e);
        }

        return result.Count > 0 ? result : throw access.CertificateAuthority!.Failure("has no certificate in PEM form");
    }

    private SslStreamCertificateContext ReadClientCertificate(byte[] certificatePem, byte[] keyPem)
    {
        var text = Encoding.UTF8.GetString(certificatePem);
        try
        {
            var leaf = X509Certificate2.CreateFromPem(text, Encoding.UTF8.GetString(keyPem));
            var all = new X509Certificate2Collection();
            all.ImportFromPem(text);
            return SslStreamCertificateContext.Create(leaf, all, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            var reason = "cannot be used with its key: " + e.Message;
            throw access.ClientCertificate?.Failure(reason, e)
                ?? new ApiAccessException(access.Exec?.Origin ?? "", "", "the client certificate " + reason, e);
        }
    }
}
