using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using KubeProxy.Host.Composition;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Host.Tests;

/// <summary>The whole program, but for the kernel: flags, file, manifests, servers, exit codes.</summary>
public sealed class ProxyProgramTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("kubeproxy-host").FullName;
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();
    private readonly List<FakeBackend> _backends = [];

    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        _output.Dispose();
        _errors.Dispose();
    }

    private ProxyParts Parts(params IRuleCleaner[] cleaners) => new()
    {
        CreateBackend = context =>
        {
            lock (_backends) _backends.Add(new FakeBackend(context));
            return _backends[^1];
        },
        Cleaners = () => cleaners,
        InterfaceAddresses = () => [IpAddr.Parse("127.0.0.1"), IpAddr.Parse("::1")],
        HasIpv6 = () => true,
        Root = _directory,
        Output = _output,
        Errors = _errors,
    };

    private Task<int> RunAsync(params string[] arguments) => new ProxyProgram(Parts()).RunAsync(arguments, TestContext.Current.CancellationToken);

    private string WriteFile(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public async Task Version_help_and_errors_have_their_exit_codes()
    {
        Assert.Equal(0, await RunAsync("--version"));
        Assert.Equal("Kubernetes v1.36.2\n", _output.ToString());
        Assert.Equal(0, await RunAsync("--help"));
        Assert.Equal(1, await RunAsync("--nonsense"));
        Assert.Contains("--nonsense", _errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, await RunAsync("--config", "/nonexistent"));
        Assert.Contains("/nonexistent", _errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, await RunAsync("--proxy-mode=ipvs", "--manifests", _directory));
        Assert.Equal(1, await RunAsync("--proxy-mode=nftables", "--conntrack-max-per-core=0"));
    }

    [Fact]
    public async Task The_configuration_in_force_can_be_written_and_used()
    {
        var path = Path.Combine(_directory, "out.yaml");
        Assert.Equal(0, await RunAsync("--proxy-mode=nftables", "--cluster-cidr=10.0.0.0/8", "--write-config-to", path));
        Assert.Contains("clusterCIDR: \"10.0.0.0/8\"\n", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("--config", path, "--init-only"));
    }

    [Fact]
    public async Task Cleanup_runs_every_cleaner_and_fails_if_one_does()
    {
        var (good, bad) = (new FakeCleaner(null), new FakeCleaner(new IOException("no")));
        Assert.Equal(0, await new ProxyProgram(Parts(good)).RunAsync(["--cleanup"], TestContext.Current.CancellationToken));
        Assert.Equal(1, await new ProxyProgram(Parts(bad, good)).RunAsync(["--cleanup", "--proxy-mode=ipvs"], TestContext.Current.CancellationToken));
        Assert.Equal((2, 1), (good.Runs, bad.Runs));
    }

    [Fact]
    public async Task A_backend_that_cannot_start_ends_the_program_with_1()
    {
        WriteFile("m/node.yaml", "{apiVersion: v1, kind: Node, metadata: {name: node1}}");
        var parts = Parts() with { CreateBackend = context => new FakeBackend(context) { StartProblem = new ProxyBackendException("no CAP_NET_ADMIN") } };
        var arguments = Arguments(FreePort(), FreePort());
        Assert.Equal(1, await new ProxyProgram(parts).RunAsync(arguments, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_taken_port_with_hard_fail_ends_the_program_with_1()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "m"));
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        var arguments = Arguments(port, FreePort(), "bindAddressHardFail: true\n");
        Assert.Equal(1, await new ProxyProgram(Parts()).RunAsync(arguments, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Manifests_reach_the_backends_and_the_servers_tell()
    {
        var (healthz, metrics, check) = (FreePort(), FreePort(), FreePort());
        WriteFile("m/node.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: node1}\nstatus: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n");
        WriteFile("m/web.yaml", Web(check));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = new ProxyProgram(Parts()).RunAsync(Arguments(healthz, metrics, "nodePortAddresses: [127.0.0.0/8, '::1/128']\n"), stop.Token);

        Assert.Equal("ok", await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.OK));
        using var health = JsonDocument.Parse(await EventuallyAsync($"http://127.0.0.1:{healthz}/healthz", HttpStatusCode.OK));
        Assert.Equal(["lastUpdated", "currentTime", "nodeEligible", "healthy", "status"], health.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.Contains("\"healthy\":true", await EventuallyAsync($"http://127.0.0.1:{healthz}/livez", HttpStatusCode.OK), StringComparison.Ordinal);
        await EventuallyAsync($"http://127.0.0.1:{healthz}/other", HttpStatusCode.NotFound);

        Assert.Equal("nftables", await EventuallyAsync($"http://127.0.0.1:{metrics}/proxyMode", HttpStatusCode.OK));
        Assert.Equal("ok", await EventuallyAsync($"http://127.0.0.1:{metrics}/healthz", HttpStatusCode.OK));
        Assert.Equal("[+]ping ok\nhealthz check passed\n", await EventuallyAsync($"http://127.0.0.1:{metrics}/healthz?verbose", HttpStatusCode.OK));
        Assert.Contains("\"mode\":\"nftables\"", await EventuallyAsync($"http://127.0.0.1:{metrics}/configz", HttpStatusCode.OK), StringComparison.Ordinal);
        var text = await EventuallyAsync($"http://127.0.0.1:{metrics}/metrics", HttpStatusCode.OK);
        Assert.Contains("# HELP kubeproxy_sync_proxy_rules_duration_seconds [ALPHA] ", text, StringComparison.Ordinal);
        Assert.Contains("kubeproxy_proxy_healthz_total{code=\"200\"} ", text, StringComparison.Ordinal);
        using var status = JsonDocument.Parse(await EventuallyAsync($"http://127.0.0.1:{metrics}/status", HttpStatusCode.OK));
        Assert.Equal((1, "node1"), (status.RootElement.GetProperty("services").GetInt32(), status.RootElement.GetProperty("node").GetString()));

        Assert.Contains("\"localEndpoints\": 1,", await EventuallyAsync($"http://127.0.0.1:{check}/", HttpStatusCode.OK), StringComparison.Ordinal);
        File.Delete(Path.Combine(_directory, "m/web.yaml"));
        await EventuallyAsync($"http://127.0.0.1:{check}/", null);

        var ipv4 = Assert.Single(_backends, backend => backend.Family == IpFamily.IPv4);
        Assert.Contains(ipv4.Updated, name => name == new ServicePortName(new NamespacedName("default", "web"), "", Protocol.Tcp));
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    [Fact]
    public async Task Objects_of_an_API_server_reach_the_backends_and_a_kubeconfig_with_a_mistake_is_named()
    {
        await using var server = await FakeApiServer.StartAsync();
        server.Set("nodes", ApiObjects.Node("node1"));
        server.Set("services", ApiObjects.Service("web", "10.96.0.10"));
        server.Set("endpointslices", ApiObjects.Slice("web-1", "web", ["10.244.1.1"]));
        var kubeconfig = WriteFile("kubeconfig", $$"""
            apiVersion: v1
            kind: Config
            current-context: main
            contexts: [{name: main, context: {cluster: here, user: proxy} }]
            clusters: [{name: here, cluster: {server: "{{server.Url}}"} }]
            users: [{name: proxy, user: {token: secret} }]
            """);
        var metrics = FreePort();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var arguments = Arguments(FreePort(), metrics, $"clientConnection: {{kubeconfig: '{kubeconfig}'}}\n")[..2];
        var run = new ProxyProgram(Parts()).RunAsync(arguments, stop.Token);
        await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.OK);
        var ipv4 = Assert.Single(_backends, backend => backend.Family == IpFamily.IPv4);
        Assert.Contains(ipv4.Updated, name => name.Service.Name == "web");
        await stop.CancelAsync();
        Assert.Equal(0, await run);

        WriteFile("kubeconfig", "apiVersion: v1\nkind: Config\ncurrent-context: other\n");
        Assert.Equal(1, await new ProxyProgram(Parts()).RunAsync(arguments, TestContext.Current.CancellationToken));
    }

    private string[] Arguments(int healthz, int metrics, string more = "")
    {
        var file = WriteFile("config.yaml", $$"""
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            mode: nftables
            hostnameOverride: node1
            healthzBindAddress: 127.0.0.1:{{healthz}}
            metricsBindAddress: 127.0.0.1:{{metrics}}
            conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
            {{more}}
            """);
        return ["--config", file, "--manifests", Path.Combine(_directory, "m")];
    }

    private static string Web(int check) => $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          type: LoadBalancer
          clusterIP: 10.96.0.10
          clusterIPs: [10.96.0.10]
          ipFamilies: [IPv4]
          externalTrafficPolicy: Local
          healthCheckNodePort: {{check}}
          ports: [{port: 80, nodePort: 30080}]
        status: {loadBalancer: {ingress: [{ip: 198.51.100.1}] } }
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: web-1, labels: {kubernetes.io/service-name: web} }
        addressType: IPv4
        ports: [{port: 8080, name: ""}]
        endpoints: [{addresses: [10.244.1.1], nodeName: node1}]
        """;

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>Asks until the status is as expected; null stands for a refused connection.</summary>
    private static async Task<string> EventuallyAsync(string address, HttpStatusCode? expected)
    {
        using var client = new HttpClient();
        var last = "";
        for (var attempt = 0; attempt < 200; attempt++)
        {
            try
            {
                using var response = await client.GetAsync(new Uri(address), TestContext.Current.CancellationToken);
                last = $"{response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}";
                if (response.StatusCode == expected) return last[(last.IndexOf(' ', StringComparison.Ordinal) + 1)..];
            }
            catch (HttpRequestException problem)
            {
                if (expected is null) return "";
                last = problem.Message;
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.Fail($"{address} did not answer {expected}: {last}");
        return last;
    }

    private sealed class FakeCleaner(Exception? problem) : IRuleCleaner
    {
        public int Runs { get; private set; }

        public string Subject => "fake";

        public Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
        {
            Runs++;
            return problem is null ? Task.FromResult<IReadOnlyList<string>>(["x"]) : Task.FromException<IReadOnlyList<string>>(problem);
        }
    }

    private sealed class FakeBackend(BackendContext context) : IProxyBackend
    {
        public Exception? StartProblem { get; init; }

        public List<ServicePortName> Updated { get; } = [];

        public IpFamily Family => context.Family;

        public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) =>
            StartProblem is null ? Task.CompletedTask : Task.FromException(StartProblem);

        public Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
        {
            Updated.AddRange(changes.Updated.Select(plan => plan.Name));
            return Task.FromResult(new SyncResult());
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
