using System.Text;
using System.Text.Json.Nodes;
using KubeProxy.Kubernetes.Access;

namespace KubeProxy.Kubernetes.Tests;

public sealed class KubeconfigTests
{
    private const string File = "/etc/kube/config";

    private static ApiServerAccess Load(string cluster = "", string user = "", string? context = null, string? master = null) =>
        Kubeconfig.Load(Document(cluster, user), File, context, master);

    private static JsonNode Document(string cluster, string user) => JsonNode.Parse($$$"""
        {
          "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": "main",
          "contexts": [
            {"name": "other", "context": {"cluster": "c2", "user": "nobody"}},
            {"name": "main", "context": {"cluster": "c1", "user": "proxy", "namespace": "x"}},
            {"name": "bare", "context": {"cluster": "c2"}}
          ],
          "clusters": [
            {"name": "c1", "cluster": {"server": "https://10.0.0.1:6443/prefix"{{{Then(cluster)}}}}},
            {"name": "c2", "cluster": {"server": "other.example:8080"}}
          ],
          "users": [{"name": "proxy", "user": { {{{user}}} } }]
        }
        """)!;

    private static string Then(string members) => members.Length == 0 ? "" : ", " + members;

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void Context_says_which_cluster_and_user()
    {
        Assert.Equal("https://10.0.0.1:6443/prefix", Load().Server.ToString());
        Assert.Equal("http://other.example:8080/", Load(context: "bare").Server.ToString());
        Assert.Equal("https://master:1/", Load(master: "https://master:1").Server.ToString());
        Assert.Equal("https://master:1/", Load("\"insecure-skip-tls-verify\": true", master: "master:1").Server.ToString());
        Assert.Equal("http://master:1/", ApiServerAccess.Anonymous("master:1").Server.ToString());
    }

    [Fact]
    public void Every_field_of_a_cluster_is_read()
    {
        var access = Load($"\"certificate-authority-data\": \"{Base64("PEM")}\", \"tls-server-name\": \"api\", \"proxy-url\": \"socks5://127.0.0.1:1080\"");
        Assert.Equal("PEM", Encoding.UTF8.GetString(access.CertificateAuthority!.Read()));
        Assert.Equal("api", access.TlsServerName);
        Assert.Equal("socks5://127.0.0.1:1080/", access.ProxyUrl!.ToString());
        Assert.Equal("/etc/kube/pki/ca.crt", Load("\"certificate-authority\": \"pki/ca.crt\"").CertificateAuthority!.Path);
        Assert.True(Load("\"insecure-skip-tls-verify\": true").InsecureSkipTlsVerify);
    }

    [Fact]
    public void Every_field_of_a_user_is_read()
    {
        var access = Load(user: $"\"client-certificate\": \"/c.crt\", \"client-key-data\": \"{Base64("KEY")}\", \"token\": \"abc\"");
        Assert.Equal("/c.crt", access.ClientCertificate!.Path);
        Assert.Equal("KEY", Encoding.UTF8.GetString(access.ClientKey!.Read()));
        Assert.Equal("abc", Encoding.UTF8.GetString(access.Token!.Read()));
        Assert.Equal("/etc/kube/token", Load(user: "\"tokenFile\": \"token\"").Token!.Path);
        var basic = Load(user: "\"username\": \"u\", \"password\": \"p\"");
        Assert.Equal(("u", "p"), (basic.Username, basic.Password));
        var acting = Load(user: "\"token\": \"t\", \"as\": \"them\", \"as-uid\": \"7\", \"as-groups\": [\"g1\", \"g2\"], \"as-user-extra\": {\"a/b\": [\"v\"]}");
        Assert.Equal(
            ["Impersonate-User=them", "Impersonate-Uid=7", "Impersonate-Group=g1", "Impersonate-Group=g2", "Impersonate-Extra-a%2Fb=v"],
            acting.Headers.Select(header => $"{header.Key}={header.Value}"));
    }

    [Fact]
    public void Plugin_is_read()
    {
        var exec = Load(user: """
            "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./bin/login", "args": ["--x", "1"], "interactiveMode": "IfAvailable",
                     "env": [{"name": "A", "value": "b"}], "installHint": "get it", "provideClusterInfo": true}
            """).Exec!;
        Assert.Equal("/etc/kube/bin/login", exec.Command);
        Assert.Equal(["--x", "1"], exec.Args);
        Assert.Equal([new("A", "b")], exec.Env);
        Assert.Equal("https://10.0.0.1:6443/prefix", exec.ClusterInfo!["server"]!.GetValue<string>());
    }

    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "\"tls-server-name\": 5", "", "clusters[0].cluster.tls-server-name: is not a string (put it in quotes)" },
        { "\"insecure-skip-tls-verify\": \"yes\"", "", "clusters[0].cluster.insecure-skip-tls-verify: is neither true nor false" },
        { "\"certificate-authority-data\": \"%%\"", "", "clusters[0].cluster.certificate-authority-data: is not base64" },
        { "\"insecure-skip-tls-verify\": true, \"certificate-authority\": \"x\"", "", "clusters[0].cluster.insecure-skip-tls-verify: cannot be true when there is a certificate-authority" },
        { "\"proxy-url\": \"ftp://x\"", "", "clusters[0].cluster.proxy-url: \"ftp://x\" is not an http, https or socks5 address" },
        { "", "\"token\": 12345", "users[0].user.token: is not a string (put it in quotes)" },
        { "", "\"client-certificate\": \"x\"", "users[0].user.client-key: missing, but there is a client-certificate" },
        { "", "\"client-key\": \"x\"", "users[0].user.client-certificate: missing, but there is a client-key" },
        { "", "\"username\": \"u\", \"token\": \"t\"", "users[0].user.username: cannot go together with a token" },
        { "", "\"auth-provider\": {\"name\": \"gcp\"}", "users[0].user.auth-provider: is not supported any more; use an exec plugin" },
        { "", "\"exec\": {\"command\": \"x\"}", "users[0].user.exec.apiVersion: missing" },
        { "", "\"exec\": {\"command\": \"x\", \"apiVersion\": \"v9\"}", "users[0].user.exec.apiVersion: \"v9\" is not supported; known are client.authentication.k8s.io/v1 and client.authentication.k8s.io/v1beta1" },
        { "", "\"exec\": {\"apiVersion\": \"client.authentication.k8s.io/v1beta1\"}", "users[0].user.exec.command: missing" },
        { "", "\"exec\": {\"command\": \"x\", \"apiVersion\": \"client.authentication.k8s.io/v1\"}", "users[0].user.exec.interactiveMode: missing: Never, IfAvailable or Always" },
        { "", "\"exec\": {\"command\": \"x\", \"apiVersion\": \"client.authentication.k8s.io/v1\", \"interactiveMode\": \"Always\"}", "users[0].user.exec.interactiveMode: is Always, but a proxy has no terminal" },
        { "", "\"exec\": {\"command\": \"x\", \"apiVersion\": \"client.authentication.k8s.io/v1beta1\", \"args\": [1]}", "users[0].user.exec.args[0]: is not a string (put it in quotes)" },
        { "", "\"exec\": {\"command\": \"x\", \"apiVersion\": \"client.authentication.k8s.io/v1beta1\", \"env\": [{\"value\": \"x\"}]}", "users[0].user.exec.env[0].name: missing" },
        { "", "\"as-groups\": [\"g\"]", "users[0].user.as: missing, but other impersonation fields are there" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Mistake_is_named_with_file_and_field(string cluster, string user, string message) =>
        Assert.Equal($"{File}: {message}", Assert.Throws<ApiAccessException>(() => Load(cluster, user)).Message);

    [Theory]
    [InlineData(null, "is empty")]
    [InlineData("[]", "is not a kubeconfig: not an object")]
    [InlineData("""{"kind":"Pod"}""", "kind: is \"Pod\", not \"Config\"")]
    [InlineData("{}", "current-context: missing")]
    [InlineData("""{"current-context":"a"}""", "current-context: \"a\" is not in contexts")]
    [InlineData("""{"current-context":"a","contexts":5}""", "contexts: is not a list")]
    [InlineData("""{"current-context":"a","contexts":[5]}""", "contexts[0]: is not an object")]
    [InlineData("""{"current-context":"a","contexts":[{"name":"a"}]}""", "contexts[0].context: missing")]
    [InlineData("""{"current-context":"a","contexts":[{"name":"a","context":{}}]}""", "contexts[0].context.cluster: missing")]
    [InlineData("""{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"c"}}]}""", "contexts[0].context.cluster: \"c\" is not in clusters")]
    [InlineData("""{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"c"}}],"clusters":[{"name":"c","cluster":{}}]}""", "clusters[0].cluster.server: missing")]
    [InlineData("""{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"c"}}],"clusters":[{"name":"c","cluster":{"server":"ftp://x"}}]}""", "clusters[0].cluster.server: \"ftp://x\" is not an http or https address")]
    [InlineData("""{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"c","user":"u"}}],"clusters":[{"name":"c","cluster":{"server":"x"}}]}""", "contexts[0].context.user: \"u\" is not in users")]
    public void Document_that_is_no_kubeconfig_is_refused(string? text, string message) => Assert.Equal(
        $"{File}: {message}",
        Assert.Throws<ApiAccessException>(() => Kubeconfig.Load(text is null ? null : JsonNode.Parse(text), File)).Message);

    [Fact]
    public void Files_that_cannot_be_used_are_found_at_the_start()
    {
        var message = Assert.Throws<ApiAccessException>(() => new ApiClient(Load("\"certificate-authority\": \"/none/ca.crt\""))).Message;
        Assert.StartsWith($"{File}: clusters[0].cluster.certificate-authority: /none/ca.crt cannot be read: ", message, StringComparison.Ordinal);
        message = Assert.Throws<ApiAccessException>(() => new ApiClient(Load(user: "\"tokenFile\": \"/none/token\""))).Message;
        Assert.StartsWith($"{File}: users[0].user.tokenFile: /none/token cannot be read: ", message, StringComparison.Ordinal);
        message = Assert.Throws<ApiAccessException>(() => new ApiClient(Load($"\"certificate-authority-data\": \"{Base64("no PEM")}\""))).Message;
        Assert.Equal($"{File}: clusters[0].cluster.certificate-authority-data: has no certificate in PEM form", message);
        message = Assert.Throws<ApiAccessException>(() => new ApiClient(Load(user: $"\"client-certificate-data\": \"{Base64("x")}\", \"client-key-data\": \"{Base64("y")}\""))).Message;
        Assert.StartsWith($"{File}: users[0].user.client-certificate-data: cannot be used with its key: ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Service_account_is_found_by_the_environment()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("token", "secret\n");
        directory.Write("ca.crt", "PEM");
        var variables = new Dictionary<string, string?> { ["KUBERNETES_SERVICE_HOST"] = "fd00::1", ["KUBERNETES_SERVICE_PORT"] = "443" };
        var access = InCluster.Load(variables.GetValueOrDefault, directory.Path);
        Assert.Equal("https://[fd00::1]/", access.Server.ToString());
        Assert.Equal(directory.PathOf("token"), access.Token!.Path);
        Assert.Equal(directory.PathOf("ca.crt"), access.CertificateAuthority!.Path);

        variables["KUBERNETES_SERVICE_PORT"] = "https";
        Assert.Equal("KUBERNETES_SERVICE_PORT: \"https\" is not a port", Assert.Throws<ApiAccessException>(() => InCluster.Load(variables.GetValueOrDefault, directory.Path)).Message);
        Assert.StartsWith("KUBERNETES_SERVICE_HOST: not set", Assert.Throws<ApiAccessException>(() => InCluster.Load(_ => null, directory.Path)).Message, StringComparison.Ordinal);
    }
}
