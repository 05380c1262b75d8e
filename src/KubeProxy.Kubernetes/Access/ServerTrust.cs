using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KubeProxy.Kubernetes.Access;

/// <summary>
/// Whether a server is the one that is meant. Every certificate of a bundle is an anchor, as it is for Go's <c>crypto/x509</c> and
/// so for upstream: a chain may end at a root, at an intermediate authority, or at the server's own certificate. .NET alone takes
/// only self-signed certificates for that. Checked all the same: signatures up to the anchor, times (the anchor's too), use for
/// servers, and names.
/// </summary>
/// <param name="bundle">The anchors; null for those of the system.</param>
/// <param name="origin">Where they come from, for messages.</param>
internal sealed class ServerTrust(X509Certificate2Collection? bundle, string origin)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>Of a chain that is not built up to a root of its own, which it need not be.</summary>
    private const X509ChainStatusFlags OpenEnd = X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot;

    /// <summary>What may be said of an anchor, whose issuer nobody asks for.</summary>
    private const X509ChainStatusFlags AtAnchor = OpenEnd | X509ChainStatusFlags.NotSignatureValid;

    /// <summary>Of a TLS connection that is being made.</summary>
    /// <exception cref="AuthenticationException">The server is another; the message says why.</exception>
    public bool Check(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 server) throw new AuthenticationException("the server has no certificate");
        var host = ((SslStream)sender).TargetHostName;
        return Refuse(server, chain?.ChainPolicy.ExtraStore ?? [], host) is { } reason
            ? throw new AuthenticationException($"the certificate of the server {reason}")
            : true;
    }

    /// <summary>Why a certificate does not prove that a server is the one that is meant; null when it does.</summary>
    /// <param name="server">The certificate of the server.</param>
    /// <param name="sent">What the server sent with it.</param>
    /// <param name="host">What the server is called: a DNS name or an IP address.</param>
    public string? Refuse(X509Certificate2 server, X509Certificate2Collection sent, string host)
    {
        try
        {
            return OutOfTime(server) ?? ServerNames.Refuse(server, host) ?? RefuseChain(server, sent);
        }
        catch (CryptographicException e)
        {
            return "cannot be checked: " + e.Message;
        }
    }

    /// <summary>No revocation lists and no downloads: as upstream, and because the API server may be all that can be reached.</summary>
    public static X509ChainPolicy MakePolicy(X509Certificate2Collection? trusted)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = trusted is null ? X509ChainTrustMode.System : X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        if (trusted is not null) policy.CustomTrustStore.AddRange(trusted);
        return policy;
    }

    /// <summary>
    /// First all at once, for which one chain is built, then one anchor after the other: an authority that was replaced has the name
    /// of the one that replaces it, and the first of a name is all that is tried in one chain.
    /// </summary>
    private string? RefuseChain(X509Certificate2 server, X509Certificate2Collection sent)
    {
        using (var chain = new X509Chain { ChainPolicy = MakePolicy(bundle) })
        {
            chain.ChainPolicy.ExtraStore.AddRange(sent);
            if (chain.Build(server)) return null;
        }

        string? nearest = null;
        foreach (var anchor in bundle ?? SystemIntermediates())
        {
            var faults = FaultsUpTo(anchor, server, sent);
            if (faults is { Count: 0 }) return null;
            if (faults is not null) nearest ??= $"is not to be trusted: {string.Join("; ", faults)}";
        }

        return nearest ?? $"is not signed by anyone in {origin} (certificate of {server.Subject}, issued by {server.Issuer})";
    }

    /// <summary>What is wrong between a server's certificate and an anchor, both included; null when the one does not lead to the other.</summary>
    private static List<string>? FaultsUpTo(X509Certificate2 anchor, X509Certificate2 server, X509Certificate2Collection sent)
    {
        using var chain = new X509Chain { ChainPolicy = MakePolicy([anchor]) };
        chain.ChainPolicy.ExtraStore.Add(anchor);
        // Another certificate of the same authority would be a way around the anchor.
        foreach (var other in sent)
        {
            if (!other.SubjectName.RawData.AsSpan().SequenceEqual(anchor.SubjectName.RawData)) chain.ChainPolicy.ExtraStore.Add(other);
        }

        _ = chain.Build(server);
        List<string> faults = [];
        foreach (var element in chain.ChainElements)
        {
            var isAnchor = element.Certificate.RawDataMemory.Span.SequenceEqual(anchor.RawDataMemory.Span);
            var forgiven = isAnchor ? AtAnchor : OpenEnd;
            foreach (var status in element.ChainElementStatus)
            {
                if ((status.Status & ~forgiven) != 0)
                    faults.Add($"{element.Certificate.Subject}: {status.StatusInformation.Trim().TrimEnd('.')} ({status.Status})");
            }

            // .NET does not look at the clock for the last certificate of a chain with an open end.
            if (isAnchor && faults.Count == 0 && OutOfTime(anchor) is { } reason) faults.Add($"{anchor.Subject} {reason}");
            if (isAnchor) return faults;
        }

        return null;
    }

    private static string? OutOfTime(X509Certificate2 certificate)
    {
        var (from, to, now) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime(), DateTime.UtcNow);
        return now >= from && now <= to ? null : $"is valid from {from:u} to {to:u}, which is not now";
    }

    /// <summary>What the system trusts and is not self-signed, which .NET keeps apart.</summary>
    private static X509Certificate2Collection SystemIntermediates()
    {
        using var store = new X509Store(StoreName.CertificateAuthority, StoreLocation.LocalMachine);
        store.Open(OpenFlags.ReadOnly);
        return store.Certificates;
    }
}
