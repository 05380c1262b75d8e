using System.Text;
using System.Text.Json.Nodes;

namespace KubeProxy.Kubernetes.Access;

/// <summary>
/// Reads a kubeconfig. The file is YAML, which is for the caller to read: here it comes as JSON nodes.
/// </summary>
public static class Kubeconfig
{
    /// <summary>Reads the cluster and the user of a context.</summary>
    /// <param name="document">The content.</param>
    /// <param name="path">The file: for messages, and because paths in it are relative to it.</param>
    /// <param name="context">The context; <c>current-context</c> by default.</param>
    /// <param name="master">An address that goes before that of the cluster; may be empty.</param>
    /// <exception cref="ApiAccessException">Something is missing, or of the wrong type.</exception>
    public static ApiServerAccess Load(JsonNode? document, string path, string? context = null, string? master = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var root = KubeconfigNode.Root(document, path);
        var kind = root.Text("kind");
        if (kind is not (null or "Config")) throw root.Failure("kind", $"is \"{kind}\", not \"Config\"");
        var namedBy = context is null ? "current-context" : "context";
        var chosen = Find(root, "contexts", "context", context ?? root.RequiredText("current-context"), namedBy);
        var cluster = Find(root, "clusters", "cluster", chosen.RequiredText("cluster"), chosen.PathOf("cluster"));
        var access = ReadCluster(cluster, master);
        if (chosen.Text("user") is not { } userName) return access;
        var user = Find(root, "users", "user", userName, chosen.PathOf("user"));
        return ReadUser(user, cluster, access);
    }

    private static KubeconfigNode Find(KubeconfigNode root, string list, string member, string name, string namedBy)
    {
        foreach (var entry in root.Children(list))
        {
            if (entry.Text("name") == name) return entry.Child(member) ?? throw entry.Failure(member, "missing");
        }

        throw new ApiAccessException(root.File, namedBy, $"\"{name}\" is not in {list}");
    }

    private static ApiServerAccess ReadCluster(KubeconfigNode cluster, string? master)
    {
        var insecure = cluster.Flag("insecure-skip-tls-verify");
        var authority = cluster.Content("certificate-authority-data", "certificate-authority");
        if (insecure && authority is not null)
            throw cluster.Failure("insecure-skip-tls-verify", "cannot be true when there is a certificate-authority");
        var secure = insecure || authority is not null;
        return new ApiServerAccess
        {
            Server = master is { Length: > 0 }
                ? ApiServerAccess.ParseServer(master, "--master", "", secure)
                : ApiServerAccess.ParseServer(cluster.RequiredText("server"), cluster.File, cluster.PathOf("server"), secure),
            CertificateAuthority = authority,
            InsecureSkipTlsVerify = insecure,
            TlsServerName = cluster.Text("tls-server-name"),
            ProxyUrl = ReadProxy(cluster),
        };
    }

    private static Uri? ReadProxy(KubeconfigNode cluster)
    {
        if (cluster.Text("proxy-url") is not { } text) return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var proxy) && proxy.Scheme is ("http" or "https" or "socks5")
            ? proxy
            : throw cluster.Failure("proxy-url", $"\"{text}\" is not an http, https or socks5 address");
    }

    private static ApiServerAccess ReadUser(KubeconfigNode user, KubeconfigNode cluster, ApiServerAccess access)
    {
        if (user.Child("auth-provider") is not null)
            throw user.Failure("auth-provider", "is not supported any more; use an exec plugin");
        var certificate = user.Content("client-certificate-data", "client-certificate");
        var key = user.Content("client-key-data", "client-key");
        if (certificate is null && key is not null)
            throw user.Failure("client-certificate", "missing, but there is a client-key");
        if (certificate is not null && key is null)
            throw user.Failure("client-key", "missing, but there is a client-certificate");
        var token = user.Text("token");
        var tokenFile = user.Text("tokenFile");
        var username = user.Text("username");
        if (username is not null && (token ?? tokenFile) is not null)
            throw user.Failure("username", "cannot go together with a token");
        return access with
        {
            ClientCertificate = certificate,
            ClientKey = key,
            Token = tokenFile is not null ? SecretContent.OfFile(user.Resolve(tokenFile), user.File, user.PathOf("tokenFile"))
                : token is not null ? SecretContent.OfData(Encoding.UTF8.GetBytes(token), user.File, user.PathOf("token"))
                : null,
            FallbackToken = token,
            Username = username,
            Password = user.Text("password"),
            Exec = ReadExec(user, cluster, access),
            Headers = ReadImpersonation(user),
        };
    }

    private static ExecPluginConfig? ReadExec(KubeconfigNode user, KubeconfigNode cluster, ApiServerAccess access)
    {
        if (user.Child("exec") is not { } exec) return null;
        var version = exec.RequiredText("apiVersion");
        if (version is not (ExecPluginConfig.V1 or ExecPluginConfig.V1Beta1))
            throw exec.Failure("apiVersion",
                $"\"{version}\" is not supported; known are {ExecPluginConfig.V1} and {ExecPluginConfig.V1Beta1}");
        var mode = exec.Text("interactiveMode");
        if (mode is null && version == ExecPluginConfig.V1)
            throw exec.Failure("interactiveMode", "missing: Never, IfAvailable or Always");
        if (mode == "Always") throw exec.Failure("interactiveMode", "is Always, but a proxy has no terminal");
        if (mode is not (null or "Never" or "IfAvailable"))
            throw exec.Failure("interactiveMode", $"\"{mode}\" is not Never, IfAvailable or Always");
        var command = exec.RequiredText("command");
        return new ExecPluginConfig
        {
            Command = command.Contains('/', StringComparison.Ordinal) ? exec.Resolve(command) : command,
            Args = exec.Texts("args"),
            Env = [.. exec.Children("env").Select(entry => Pair(entry.RequiredText("name"), entry.Text("value") ?? ""))],
            ApiVersion = version,
            InstallHint = exec.Text("installHint"),
            ClusterInfo = exec.Flag("provideClusterInfo") ? DescribeCluster(cluster, access) : null,
            Origin = $"{exec.File}: {exec.PathOf("command")}",
        };
    }

    /// <summary><c>spec.cluster</c> of what the plugin is told.</summary>
    private static JsonObject DescribeCluster(KubeconfigNode cluster, ApiServerAccess access)
    {
        var info = new JsonObject { ["server"] = access.Server.ToString().TrimEnd('/') };
        if (access.TlsServerName is { } name) info["tls-server-name"] = name;
        if (access.InsecureSkipTlsVerify) info["insecure-skip-tls-verify"] = true;
        if (access.CertificateAuthority is { } authority)
            info["certificate-authority-data"] = Convert.ToBase64String(authority.Read());
        if (access.ProxyUrl is { } proxy) info["proxy-url"] = proxy.ToString();
        foreach (var extension in cluster.Children("extensions"))
        {
            if (extension.Text("name") == "client.authentication.k8s.io/exec")
                info["config"] = extension.Json["extension"]?.DeepClone();
        }

        return info;
    }

    private static List<KeyValuePair<string, string>> ReadImpersonation(KubeconfigNode user)
    {
        var headers = new List<KeyValuePair<string, string>>();
        var name = user.Text("as");
        if (name is not null) headers.Add(new("Impersonate-User", name));
        if (user.Text("as-uid") is { } uid) headers.Add(new("Impersonate-Uid", uid));
        headers.AddRange(user.Texts("as-groups").Select(group => Pair("Impersonate-Group", group)));
        if (user.Child("as-user-extra") is { } extra)
        {
            foreach (var (key, _) in extra.Json)
            {
                var header = "Impersonate-Extra-" + Uri.EscapeDataString(key);
                headers.AddRange(extra.Texts(key).Select(value => Pair(header, value)));
            }
        }

        if (headers.Count > 0 && name is null) throw user.Failure("as", "missing, but other impersonation fields are there");
        return headers;
    }

    private static KeyValuePair<string, string> Pair(string name, string value) => new(name, value);
}
