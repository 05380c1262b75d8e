using System.Text;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Kubernetes.Access;
using KubeProxy.TestKit;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Kubernetes.Tests;

/// <summary>Who we are and who the server is, and that both may change while we run.</summary>
public sealed class CredentialTests
{
    private static readonly NamespacedName Web = new("default", "web");

    private static SecretContent Pem(string text) => SecretContent.OfData(Encoding.UTF8.GetBytes(text), "test", "field");

    [Fact]
    public async Task Rotated_token_counts_at_once()
    {
        using var directory = new TemporaryDirectory();
        var token = directory.Write("token", "first\n");
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.AcceptTokens("first");
        await harness.StartAndSyncAsync(access: new ApiServerAccess { Server = harness.Server.Url, Token = SecretContent.OfFile(token) });

        harness.Server.AcceptTokens("second");
        harness.Server.EndWatches();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 4, "the old token is refused");
        Assert.StartsWith("401", harness.Sink.Problems[0].Message, StringComparison.Ordinal);
        directory.Write("token", "second\n");
        harness.Server.Set("services", ApiObjects.Service("api"));
        await harness.ConvergeAsync();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 0, "all is well again");
    }

    [Fact]
    public async Task Token_that_cannot_be_read_for_a_while_stays_in_use()
    {
        using var directory = new TemporaryDirectory();
        var token = directory.Write("token", "first");
        await using var harness = await ApiHarness.MakeAsync();
        harness.Server.AcceptTokens("first");
        await harness.StartAndSyncAsync(access: new ApiServerAccess { Server = harness.Server.Url, Token = SecretContent.OfFile(token) });
        File.Delete(token);
        harness.Server.EndWatches();
        harness.Server.Set("services", ApiObjects.Service("api"));
        await harness.ConvergeAsync();
    }

    [Fact]
    public async Task Plugin_is_asked_once_and_again_when_refused_or_expired()
    {
        using var directory = new TemporaryDirectory();
        var calls = directory.PathOf("calls");
        var plugin = directory.Write("plugin", $$$"""
            #!/bin/sh
            echo "$KUBERNETES_EXEC_INFO $1 $EXTRA" >> {{{calls}}}
            n=$(wc -l < {{{calls}}})
            echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t'$n'","expirationTimestamp":"2026-01-01T01:00:00Z"}}'
            """, executable: true);
        await using var server = await FakeApiServer.StartAsync();
        server.Set("services", ApiObjects.Service("web"));
        server.AcceptTokens("t1");
        var exec = new ExecPluginConfig { Command = plugin, Args = ["argument"], Env = [new("EXTRA", "extra")] };
        var time = new SteppedTime();
        using var client = new ApiClient(new ApiServerAccess { Server = server.Url, Exec = exec }, ApiHarness.FastClient, time);
        for (var i = 0; i < 3; i++) Assert.NotNull(await client.GetAsync(ObjectKind.Service, Web, TestContext.Current.CancellationToken));
        Assert.Equal(["""{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}} argument extra"""], File.ReadAllLines(calls));

        server.AcceptTokens("t2");
        Assert.NotNull(await client.GetAsync(ObjectKind.Service, Web, TestContext.Current.CancellationToken));
        Assert.Equal(2, File.ReadAllLines(calls).Length);

        server.AcceptTokens("t3");
        time.Advance(TimeSpan.FromHours(2));
        var before = server.Requests.Count;
        Assert.NotNull(await client.GetAsync(ObjectKind.Service, Web, TestContext.Current.CancellationToken));
        Assert.Equal(before + 1, server.Requests.Count); // Not tried with what had expired.
    }

    [Theory]
    [InlineData("exit 3", "ended with code 3")]
    [InlineData("echo oops >&2; exit 1", "ended with code 1: oops")]
    [InlineData("echo hello", "printed no ExecCredential")]
    [InlineData("""echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"}'""", "printed no status")]
    [InlineData("""echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{}}'""", "printed neither status.token nor status.clientCertificateData")]
    [InlineData("""echo '{"kind":"ExecCredential","apiVersion":"v0","status":{"token":"x"}}'""", "printed apiVersion v0, not client.authentication.k8s.io/v1")]
    public async Task Plugin_that_fails_is_named(string script, string message)
    {
        using var directory = new TemporaryDirectory();
        var plugin = directory.Write("plugin", "#!/bin/sh\n" + script + "\n", executable: true);
        await using var server = await FakeApiServer.StartAsync();
        using var client = new ApiClient(new ApiServerAccess { Server = server.Url, Exec = new ExecPluginConfig { Command = plugin, Origin = "/kubeconfig: users[0].user.exec.command" } });
        var failure = await Assert.ThrowsAsync<ApiRequestException>(() => client.GetAsync(ObjectKind.Service, Web, TestContext.Current.CancellationToken));
        Assert.StartsWith($"/kubeconfig: users[0].user.exec.command: {plugin} {message}", failure.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Plugin_that_is_missing_is_named_with_the_hint()
    {
        await using var server = await FakeApiServer.StartAsync();
        using var client = new ApiClient(new ApiServerAccess { Server = server.Url, Exec = new ExecPluginConfig { Command = "/none/plugin", InstallHint = "get it at example.org" } });
        var failure = await Assert.ThrowsAsync<ApiRequestException>(() => client.GetAsync(ObjectKind.Service, Web, TestContext.Current.CancellationToken));
        Assert.StartsWith("/none/plugin cannot be started: ", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("; get it at example.org", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificates_of_both_sides_are_used_over_http2()
    {
        using var authority = new TestAuthority();
        await using var server = await FakeApiServer.StartAsync(new FakeApiServerOptions { Certificate = authority.Issue("api.test"), AsksForClientCertificate = true });
        server.Set("services", ApiObjects.Service("web"));
        var (certificate, key) = authority.IssuePem("system:kube-proxy");
        using var client = new ApiClient(new ApiServerAccess
        {
            Server = server.Url,
            CertificateAuthority = Pem(authority.Pem),
            ClientCertificate = Pem(certificate),
            ClientKey = Pem(key),
        });
        Assert.NotNull(await client.GetAsync(ObjectKind.Service, Web, TestContext.Current.CancellationToken));
        Assert.Equal(("HTTP/2", "CN=system:kube-proxy"), (server.Requests[0].Protocol, server.Requests[0].ClientName));
    }

    [Fact]
    public async Task Plugin_may_give_a_certificate()
    {
        using var directory = new TemporaryDirectory();
        using var authority = new TestAuthority();
        var (certificate, key) = authority.IssuePem("from-plugin");
        var plugin = directory.Write("plugin", $$$"""
            #!/bin/sh
            cat <<'END'
            {"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"clientCertificateData":"{{{certificate.ReplaceLineEndings("\\n")}}}","clientKeyData":"{{{key.ReplaceLineEndings("\\n")}}}"}}
            END
            """, executable: true);
        await using var server = await FakeApiServer.StartAsync(new FakeApiServerOptions { Certificate = authority.Issue("api.test"), AsksForClientCertificate = true });
        server.Set("services", ApiObjects.Service("web"));
        using var client = new ApiClient(new ApiServerAccess { Server = server.Url, CertificateAuthority = Pem(authority.Pem), Exec = new ExecPluginConfig { Command = plugin } });
        Assert.NotNull(await client.GetAsync(ObjectKind.Service, Web, TestContext.Current.CancellationToken));
        Assert.Equal("CN=from-plugin", server.Requests[0].ClientName);
    }

    [Fact]
    public async Task Rotated_authority_counts_for_the_next_connection()
    {
        using var directory = new TemporaryDirectory();
        using var old = new TestAuthority("old");
        using var next = new TestAuthority("new");
        var file = directory.Write("ca.crt", old.Pem);
        await using var harness = await ApiHarness.MakeAsync(new FakeApiServerOptions { Certificate = old.Issue("api.test") });
        await harness.StartAndSyncAsync(access: new ApiServerAccess { Server = harness.Server.Url, CertificateAuthority = SecretContent.OfFile(file) });

        harness.Server.SetCertificate(next.Issue("api.test"));
        harness.Server.CutConnections();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 1, "the new certificate is not trusted");
        directory.Write("ca.crt", next.Pem);
        harness.Server.Set("services", ApiObjects.Service("api"));
        await harness.ConvergeAsync();
        await harness.Sink.WaitAsync(() => harness.Sink.Problems.Count == 0, "all is well again");
    }

    [Fact]
    public async Task Server_that_cannot_prove_who_it_is_is_refused()
    {
        using var authority = new TestAuthority();
        using var other = new TestAuthority("other");
        await using var server = await FakeApiServer.StartAsync(new FakeApiServerOptions { Certificate = authority.Issue("api.test") });
        server.Set("services", ApiObjects.Service("web"));
        var good = new ApiServerAccess { Server = server.Url, CertificateAuthority = Pem(authority.Pem) };

        async Task<bool> WorksAsync(ApiServerAccess access)
        {
            using var client = new ApiClient(access);
            try
            {
                return await client.GetAsync(ObjectKind.Service, Web, TestContext.Current.CancellationToken) is not null;
            }
            catch (ApiRequestException e)
            {
                Assert.Contains("certificate", e.Message, StringComparison.OrdinalIgnoreCase);
                return false;
            }
        }

        Assert.True(await WorksAsync(good));
        Assert.True(await WorksAsync(good with { TlsServerName = "api.test" }));
        Assert.False(await WorksAsync(good with { TlsServerName = "other.test" }));
        Assert.False(await WorksAsync(good with { CertificateAuthority = Pem(other.Pem) }));
        Assert.False(await WorksAsync(good with { CertificateAuthority = null }));
        Assert.True(await WorksAsync(good with { CertificateAuthority = null, InsecureSkipTlsVerify = true }));
        Assert.True(await WorksAsync(good with { CertificateAuthority = Pem(other.Pem + "\n" + authority.Pem) }));
    }

    [Fact]
    public async Task Basic_authentication_impersonation_and_creation()
    {
        await using var server = await FakeApiServer.StartAsync();
        using var client = new ApiClient(new ApiServerAccess { Server = new Uri(server.Url, "/"), Username = "user", Password = "word" });
        await client.CreateAsync("/apis/events.k8s.io/v1/namespaces/default/events", "{\"a\":1}"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal("Basic " + Convert.ToBase64String("user:word"u8), server.Requests[0].Authorization);
        Assert.Equal("{\"a\":1}", server.Requests[0].Body);
        Assert.Null(await client.GetAsync(ObjectKind.Node, new NamespacedName("", "none"), TestContext.Current.CancellationToken));
    }
}
