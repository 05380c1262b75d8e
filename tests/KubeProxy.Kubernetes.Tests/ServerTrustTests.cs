using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Kubernetes.Access;
using KubeProxy.TestKit;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>Which servers are trusted: what Go's crypto/x509 says, and so kubectl.</summary>
public sealed class ServerTrustTests : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";
    private const string Host = "127.0.0.1";

    private readonly TestAuthority _root = new("root");
    private readonly TestAuthority _middle;
    private readonly TestAuthority _lowest;
    private readonly X509Certificate2 _server;

    public ServerTrustTests()
    {
        _middle = new TestAuthority("middle", _root);
        _lowest = new TestAuthority("lowest", _middle);
        _server = _lowest.Issue("api.test");
    }

    public void Dispose()
    {
        _server.Dispose();
        _lowest.Dispose();
        _middle.Dispose();
        _root.Dispose();
    }

    private static string? Refuse(
        X509Certificate2 server, IEnumerable<X509Certificate2> anchors, IEnumerable<X509Certificate2> sent, string host = Host)
    {
        var (bundle, chain) = (new X509Certificate2Collection(), new X509Certificate2Collection());
        foreach (var anchor in anchors) bundle.Add(anchor);
        foreach (var certificate in sent) chain.Add(certificate);
        return new ServerTrust(bundle, "the bundle").Refuse(server, chain, host);
    }

    private X509Certificate2[] All => [_middle.Certificate, _lowest.Certificate];

    [Fact]
    public void Chain_may_end_at_any_certificate_of_the_bundle()
    {
        Assert.Null(Refuse(_server, [_root.Certificate], All));
        Assert.Null(Refuse(_server, [_middle.Certificate], All));
        Assert.Null(Refuse(_server, [_lowest.Certificate], All));
        Assert.Null(Refuse(_server, [_server], All));
        Assert.Null(Refuse(_server, [_middle.Certificate], [_lowest.Certificate]));
        Assert.Null(Refuse(_server, [_lowest.Certificate], []));
        Assert.Null(Refuse(_server, [_server], []));
        Assert.Null(Refuse(_server, [_lowest.Certificate], [.. All, _root.Certificate]));
    }

    [Fact]
    public void Bundle_may_hold_more_than_what_is_needed()
    {
        using var other = new TestAuthority("other");
        using var below = new TestAuthority("below", other);
        Assert.Null(Refuse(_server, [other.Certificate, below.Certificate, _lowest.Certificate], []));
        Assert.Null(Refuse(_server, [below.Certificate, _root.Certificate], All));
        Assert.Null(Refuse(_server, [_root.Certificate, _middle.Certificate, _lowest.Certificate], []));
    }

    [Fact]
    public void Self_signed_certificate_of_the_server_is_its_own_anchor()
    {
        using var own = new TestAuthority("own");
        Assert.Contains("no subject alternative names", Refuse(own.Certificate, [own.Certificate], []), StringComparison.Ordinal);
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest("CN=self", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var self = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        Assert.Null(Refuse(self, [self], []));
        Assert.NotNull(Refuse(self, [_root.Certificate], []));
    }

    [Fact]
    public void Chain_that_leads_nowhere_is_refused_with_its_issuer()
    {
        using var other = new TestAuthority("other");
        Assert.Equal(
            "is not signed by anyone in the bundle (certificate of CN=api.test, issued by CN=lowest)", Refuse(_server, [other.Certificate], All));
        Assert.NotNull(Refuse(_server, [_root.Certificate], [])); // Both between are missing.
        Assert.NotNull(Refuse(_server, [_root.Certificate], [_lowest.Certificate]));
        Assert.NotNull(Refuse(_server, [], All));
    }

    [Fact]
    public void Name_of_an_authority_is_not_enough()
    {
        using var root = new TestAuthority("root");
        using var middle = new TestAuthority("middle", root);
        using var lowest = new TestAuthority("lowest", middle);
        Assert.NotNull(Refuse(_server, [root.Certificate], All));
        Assert.NotNull(Refuse(_server, [middle.Certificate], All));
        Assert.NotNull(Refuse(_server, [lowest.Certificate], []));
        Assert.NotNull(Refuse(_server, [lowest.Certificate], All));
        Assert.NotNull(Refuse(_server, [lowest.Issue("api.test")], All));
        Assert.NotNull(Refuse(_server, [lowest.Certificate], [.. All, _root.Certificate]));
        using var forged = lowest.Issue("api.test"); // Signed by those of the same name, who are not in the bundle.
        Assert.NotNull(Refuse(forged, [_lowest.Certificate], [lowest.Certificate]));
        Assert.NotNull(Refuse(forged, [_middle.Certificate], [lowest.Certificate]));
        Assert.NotNull(Refuse(forged, [_root.Certificate], [lowest.Certificate, middle.Certificate]));
    }

    [Fact]
    public void Authorities_of_one_name_may_be_in_the_bundle_together()
    {
        using var old = new TestAuthority("root");
        using var oldMiddle = new TestAuthority("middle", old);
        using var direct = _root.Issue("api.test");
        Assert.Null(Refuse(direct, [old.Certificate, _root.Certificate], []));
        Assert.Null(Refuse(direct, [_root.Certificate, old.Certificate], []));
        using var below = _middle.Issue("api.test");
        Assert.Null(Refuse(below, [oldMiddle.Certificate, _middle.Certificate], []));
        Assert.Null(Refuse(below, [_middle.Certificate, oldMiddle.Certificate], []));
        Assert.Null(Refuse(below, [old.Certificate, _root.Certificate], [_middle.Certificate]));
    }

    [Fact]
    public void Times_count_up_to_the_anchor()
    {
        var yesterday = DateTimeOffset.UtcNow.AddDays(-1);
        using var expired = new TestAuthority("expired", _root, yesterday);
        using var server = expired.Issue("api.test");
        Assert.Matches("^is not to be trusted: CN=expired is valid from .* which is not now$", Refuse(server, [expired.Certificate], []));
        Assert.NotNull(Refuse(server, [_root.Certificate], [expired.Certificate]));
        Assert.Null(Refuse(server, [server], [expired.Certificate])); // What is above an anchor does not.

        using var late = _lowest.Issue("api.test", names => names.AddIpAddress(IPAddress.Loopback), end: yesterday);
        foreach (var anchor in new[] { _root.Certificate, _lowest.Certificate, late })
            Assert.Matches("^is valid from .* which is not now$", Refuse(late, [anchor], All));
    }

    [Fact]
    public void Certificate_has_to_be_for_servers()
    {
        using var client = _lowest.Issue("api.test", names => names.AddIpAddress(IPAddress.Loopback), ClientUse);
        using var forServers = _lowest.Issue("api.test", names => names.AddIpAddress(IPAddress.Loopback), ServerUse);
        foreach (var anchor in new[] { _root.Certificate, _middle.Certificate, _lowest.Certificate })
        {
            Assert.NotNull(Refuse(client, [anchor], All));
            Assert.Null(Refuse(forServers, [anchor], All));
        }

        Assert.Contains("NotValidForUsage", Refuse(client, [_lowest.Certificate], All), StringComparison.Ordinal);
        Assert.NotNull(Refuse(client, [client], All));
        Assert.Null(Refuse(forServers, [forServers], All));
    }

    [Fact]
    public void Certificate_of_a_server_signs_no_other()
    {
        using var notAnAuthority = new TestAuthority("api.test", _lowest);
        using var leaf = _lowest.Issue("leaf.test");
        using var signed = SignedBy(leaf);
        Assert.NotNull(Refuse(signed, [leaf], []));
        Assert.NotNull(Refuse(signed, [_lowest.Certificate], [leaf]));
    }

    private static X509Certificate2 SignedBy(X509Certificate2 leaf)
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest("CN=below", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var signer = leaf.GetECDsaPrivateKey()!;
        var generator = X509SignatureGenerator.CreateForECDsa(signer);
        return request.Create(leaf.SubjectName, generator, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), [1, 2, 3]);
    }

    [Theory]
    [InlineData("api.test", "api.test", true)]
    [InlineData("api.test", "API.Test", true)]
    [InlineData("api.test", "api.test.", true)]
    [InlineData("api.test", "other.test", false)]
    [InlineData("api.test", "sub.api.test", false)]
    [InlineData("*.test", "api.test", true)]
    [InlineData("*.test", "a.b.test", false)]
    [InlineData("*.test", "test", false)]
    [InlineData("*.test", ".test", false)]
    [InlineData("a*.test", "api.test", false)]
    [InlineData("api.*.test", "api.x.test", false)]
    [InlineData("127.0.0.1", "127.0.0.1", false)] // As a name, which an address does not have.
    [InlineData("ip 127.0.0.1", "127.0.0.1", true)]
    [InlineData("ip 127.0.0.1", "127.0.0.2", false)]
    [InlineData("ip 127.0.0.1", "api.test", false)]
    [InlineData("ip fd00::1", "[fd00::1]", true)]
    [InlineData("ip fd00::1", "fd00:0::1", true)]
    [InlineData("ip fd00::1", "fd00::2", false)]
    [InlineData("ip ::ffff:10.0.0.1", "10.0.0.1", true)]
    [InlineData("uri", "api.test", false)]
    public void Names_are_those_of_the_subject_alternative_names(string name, string host, bool isRight)
    {
        using var server = _lowest.Issue("api.test", names =>
        {
            if (name == "uri") names.AddUri(new Uri("spiffe://api.test"));
            else if (name.StartsWith("ip ", StringComparison.Ordinal)) names.AddIpAddress(IPAddress.Parse(name[3..]));
            else names.AddDnsName(name);
        });
        var refusal = Refuse(server, [_lowest.Certificate], [], host);
        Assert.Equal(isRight, refusal is null);
        if (!isRight) Assert.EndsWith($", not for {host}", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Common_name_is_no_name()
    {
        using var server = _lowest.Issue("api.test", null);
        Assert.Equal(
            "has no subject alternative names, and has to have api.test among them: the common name of its subject (CN=api.test) does not count",
            Refuse(server, [_lowest.Certificate], [], "api.test"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("3003870401")]
    [InlineData("30068704010203")]
    [InlineData("300382FFFF")]
    public void Alternative_names_that_are_garbage_are_no_names(string hex)
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest("CN=api.test", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension("2.5.29.17", Convert.FromHexString(hex), false));
        using var server = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        Assert.NotNull(Refuse(server, [server], [], "api.test"));
        Assert.NotNull(Refuse(server, [server], []));
    }

    [Fact]
    public async Task Client_connects_by_any_anchor_and_says_why_it_does_not()
    {
        await using var server = await FakeApiServer.StartAsync(new FakeApiServerOptions { Certificate = _server, CertificateChain = All });
        server.Set("services", ApiObjects.Service("web"));
        foreach (var anchor in new[] { _root.Pem, _middle.Pem, _lowest.Pem, _server.ExportCertificatePem() })
            Assert.Equal("", await FailureAsync(server, anchor));
        using var other = new TestAuthority("other");
        Assert.Contains(
            "the certificate of the server is not signed by anyone in config: clusters[0].cluster.certificate-authority-data "
            + "(certificate of CN=api.test, issued by CN=lowest)",
            await FailureAsync(server, other.Pem), StringComparison.Ordinal);
        Assert.Contains("is for api.test, 127.0.0.1, not for wrong.test", await FailureAsync(server, _middle.Pem, "wrong.test"), StringComparison.Ordinal);
        Assert.Equal("", await FailureAsync(server, _middle.Pem, "api.test"));
        using var common = _lowest.Issue("api.test", null);
        server.SetCertificate(common);
        Assert.Contains("has no subject alternative names", await FailureAsync(server, _root.Pem, "api.test"), StringComparison.Ordinal);
    }

    private static async Task<string> FailureAsync(FakeApiServer server, string bundle, string? name = null)
    {
        using var client = new ApiClient(new ApiServerAccess
        {
            Server = server.Url,
            CertificateAuthority = SecretContent.OfData(Encoding.UTF8.GetBytes(bundle), "config", "clusters[0].cluster.certificate-authority-data"),
            TlsServerName = name,
        });
        try
        {
            Assert.NotNull(await client.GetAsync(ObjectKind.Service, new NamespacedName("default", "web"), TestContext.Current.CancellationToken));
            return "";
        }
        catch (ApiRequestException e)
        {
            return e.Message;
        }
    }
}
