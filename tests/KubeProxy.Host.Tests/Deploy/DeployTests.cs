using System.Diagnostics;
using System.Text.Json.Nodes;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Composition;
using KubeProxy.Host.Yaml;
using KubeProxy.Kubernetes.Access;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Host.Tests.Deploy;

/// <summary>The files in <c>deploy/</c>: what systemd and the Kubernetes API have to say about them, and that they fit together.</summary>
public sealed class DeployTests : ProgramTests
{
    private static readonly List<JsonObject> Objects = [.. YamlReader.Read(new StringReader(Repository.Read("deploy", "daemonset.yaml")))
        .Where(document => !document.IsEmpty).Select(document => JsonNode.Parse(document.Json.Span)!.AsObject())];

    private static JsonNode Pod => Find("DaemonSet")["spec"]!["template"]!["spec"]!;

    private static JsonObject Find(string kind) => Assert.Single(Objects, item => (string?)item["kind"] == kind);

    private static IEnumerable<JsonNode> Containers => Pod["initContainers"]!.AsArray().Concat(Pod["containers"]!.AsArray()).Select(container => container!);

    private static string[] Texts(JsonNode? list) => [.. list!.AsArray().Select(item => item!.GetValue<string>())];

    [Fact]
    public void Manifests_are_what_the_API_accepts()
    {
        Assert.Equal(["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "DaemonSet"], Objects.Select(item => (string?)item["kind"]));
        Assert.Empty(Objects.SelectMany(KubernetesSchema.Check));
    }

    [Theory]
    [InlineData("""{"kind":"Pod"}""", "kind: Pod is not known here")]
    [InlineData("""{"kind":"ServiceAccount","metadata":{"name":"a"}}""", "ServiceAccount.apiVersion: is missing")]
    [InlineData("""{"kind":"ServiceAccount","apiVersion":"v2","metadata":{"name":"a"}}""", "ServiceAccount.apiVersion: \"v2\" is no v1")]
    [InlineData("""{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"A","nam":1}}""", "ServiceAccount.metadata.name: \"A\" is no name", "ServiceAccount.metadata.nam: there is no such field")]
    [InlineData("""{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{"x":{}}}""", "ConfigMap.data.x: {} is no string")]
    [InlineData("""{"kind":"ClusterRole","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"a"},"rules":[{"apiGroups":[""],"resources":"x","verbs":["lst"]}]}""", "ClusterRole.rules[0].resources: has to hold several of string", "ClusterRole.rules[0].verbs[0]: \"lst\" is no Verb")]
    public void Mistakes_are_found(string manifest, params string[] mistakes) => Assert.Equal(mistakes, KubernetesSchema.Check(JsonNode.Parse(manifest)));

    [Fact]
    public void What_manifests_refer_to_is_there()
    {
        var account = Find("ServiceAccount")["metadata"]!;
        Assert.Equal((string?)account["name"], (string?)Pod["serviceAccountName"]);
        var binding = Find("ClusterRoleBinding");
        Assert.Equal((string?)Find("ClusterRole")["metadata"]!["name"], (string?)binding["roleRef"]!["name"]);
        Assert.Equal(("ServiceAccount", (string?)account["name"], (string?)account["namespace"]), ((string?)binding["subjects"]![0]!["kind"], (string?)binding["subjects"]![0]!["name"], (string?)binding["subjects"]![0]!["namespace"]));
        Assert.Single(Objects.Where(item => item["metadata"]!["namespace"] is not null).Select(item => (string?)item["metadata"]!["namespace"]).Distinct());
        var set = Find("DaemonSet")["spec"]!;
        Assert.True(JsonNode.DeepEquals(set["selector"]!["matchLabels"], set["template"]!["metadata"]!["labels"]));
        var volumes = Pod["volumes"]!.AsArray().Select(volume => (string?)volume!["name"]);
        Assert.Equal(volumes.Order(), Containers.SelectMany(container => container["volumeMounts"]!.AsArray()).Select(mount => (string?)mount!["name"]).Distinct().Order());
        Assert.Equal((string?)Find("ConfigMap")["metadata"]!["name"], (string?)Pod["volumes"]!.AsArray().Select(volume => volume!["configMap"]?["name"]).Single(name => name is not null));
        Assert.All(Containers, container => Assert.Contains("NODE_NAME", container["env"]!.AsArray().Select(variable => (string?)variable!["name"])));
    }

    [Fact]
    public void The_configuration_in_the_manifest_loads()
    {
        var data = Find("ConfigMap")["data"]!;
        var file = WriteFile("config.conf", (string?)data["config.conf"] ?? "");
        foreach (var container in Containers)
        {
            var arguments = Texts(container["args"]).Select(argument => argument.Replace("/var/lib/kube-proxy/config.conf", file, StringComparison.Ordinal).Replace("$(NODE_NAME)", "node1", StringComparison.Ordinal));
            var parsed = ProxyCommandLine.Parse([.. arguments], out var errors);
            Assert.Empty(errors);
            var configuration = ConfigurationLoader.Load(parsed!, out var warnings);
            Assert.Empty(warnings);
            Assert.Equal(("nftables", "node1"), (configuration.Mode, configuration.Source.HostnameOverride));
            Assert.Equal("/var/lib/kube-proxy/kubeconfig.conf", configuration.Source.ClientConnection.Kubeconfig);
        }

        var kubeconfig = YamlReader.Read(new StringReader((string?)data["kubeconfig.conf"] ?? "")).Single();
        var access = Kubeconfig.Load(JsonNode.Parse(kubeconfig.Json.Span), "/var/lib/kube-proxy/kubeconfig.conf");
        Assert.Equal(("/var/run/secrets/kubernetes.io/serviceaccount/token", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"), (access.Token!.Path, access.CertificateAuthority!.Path));
    }

    [Fact]
    public async Task The_role_allows_what_the_program_asks_for_and_nothing_more()
    {
        await using var server = await FakeApiServer.StartAsync(new FakeApiServerOptions { StreamsInitialState = false });
        server.Set("nodes", ApiObjects.Node("node1"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = new ProxyProgram(Parts()).RunAsync([.. Arguments(FreePort(), FreePort())[..2], "--master", server.Url.ToString()], stop.Token);
        string[] resources = ["services", "nodes", "endpointslices", "servicecidrs"];
        foreach (var resource in resources) await server.WaitForRequestAsync(request => request.IsWatch && !request.IsStream && request.Resource == resource);
        await server.WaitForRequestAsync(request => request.Resource == "events");
        await stop.CancelAsync();
        Assert.Equal(0, await run);

        var asked = server.Requests.Select(request => $"{(request.Resource == "events" ? "create" : request.IsWatch ? "watch" : "list")} {request.Resource}.{request.Group}").Distinct();
        var allowed = from rule in Find("ClusterRole")["rules"]!.AsArray()
                      from apiGroup in Texts(rule!["apiGroups"])
                      from resource in Texts(rule["resources"])
                      from verb in Texts(rule["verbs"])
                      select $"{verb} {resource}.{apiGroup}";
        Assert.Equal(asked.Order(), allowed.Order());
    }

    [Fact]
    public async Task Systemd_has_no_complaint_about_the_unit()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "needs systemd-analyze (Debian package systemd)");
        // It wants the program to be there.
        var unit = WriteFile("kube-proxy.service", Repository.Read("deploy", "kube-proxy.service").Replace("/usr/local/bin/kube-proxy", Environment.ProcessPath!, StringComparison.Ordinal));
        var (code, output) = await RunToolAsync("/usr/bin/systemd-analyze", "verify", unit);
        Assert.Equal((0, ""), (code, output));

        var misspelt = WriteFile("misspelt.service", (await File.ReadAllTextAsync(unit, TestContext.Current.CancellationToken)).Replace("ProtectHome=yes", "ProtectHomes=yes", StringComparison.Ordinal));
        Assert.Contains("ProtectHomes", (await RunToolAsync("/usr/bin/systemd-analyze", "verify", misspelt)).Output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> RunToolAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, errors + await output);
    }
}
