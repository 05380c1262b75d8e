using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KubeProxy.TestKit;

/// <summary>A certificate authority of its own, for TLS tests.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly X509Certificate2 _certificate;

    /// <summary>Makes one.</summary>
    /// <param name="name">Its name, which another one may have too.</param>
    /// <param name="issuer">Who signs it; null for itself.</param>
    /// <param name="end">Until when it is valid; null for thirty days from now.</param>
    public TestAuthority(string name = "test-ca", TestAuthority? issuer = null, DateTimeOffset? end = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-3), end ?? DateTimeOffset.UtcNow.AddDays(30));
        if (issuer is null)
        {
            _certificate = request.CreateSelfSigned(from, to);
            return;
        }

        using var bare = request.Create(issuer._certificate.SubjectName, Signer(issuer), from, to, RandomNumberGenerator.GetBytes(8));
        _certificate = bare.CopyWithPrivateKey(key);
    }

    /// <summary>The certificate of the authority, without its key.</summary>
    public X509Certificate2 Certificate => X509CertificateLoader.LoadCertificate(_certificate.RawData);

    /// <summary>The certificate of the authority.</summary>
    public string Pem => _certificate.ExportCertificatePem();

    /// <summary>A certificate for 127.0.0.1 and for a name.</summary>
    public X509Certificate2 Issue(string name) => Issue(name, names =>
    {
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
    });

    /// <summary>A certificate of any kind.</summary>
    /// <param name="commonName">The common name of its subject.</param>
    /// <param name="names">Adds the names that it is for; null for none at all.</param>
    /// <param name="use">What it is for (an OID); null for everything.</param>
    /// <param name="end">Until when it is valid; null for twenty days from now.</param>
    public X509Certificate2 Issue(string commonName, Action<SubjectAlternativeNameBuilder>? names, string? use = null, DateTimeOffset? end = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", key, HashAlgorithmName.SHA256);
        if (names is not null)
        {
            var builder = new SubjectAlternativeNameBuilder();
            names(builder);
            request.CertificateExtensions.Add(builder.Build());
        }

        if (use is not null) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        var serial = RandomNumberGenerator.GetBytes(8);
        using var bare = request.Create(
            _certificate.SubjectName, Signer(this), DateTimeOffset.UtcNow.AddDays(-2), end ?? DateTimeOffset.UtcNow.AddDays(20), serial);
        using var whole = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pfx), null);
    }

    /// <summary>A client's certificate and key, in PEM form.</summary>
    public (string Certificate, string Key) IssuePem(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var bare = request.Create(_certificate, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(20), RandomNumberGenerator.GetBytes(8));
        return (bare.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => _certificate.Dispose();

    private static X509SignatureGenerator Signer(TestAuthority authority) => X509SignatureGenerator.CreateForECDsa(authority._certificate.GetECDsaPrivateKey()!);
}
