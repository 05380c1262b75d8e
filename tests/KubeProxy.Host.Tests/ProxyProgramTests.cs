using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Composition;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Host.Tests;

/// <summary>The whole program, but for the kernel: flags, file, manifests, servers, exit codes.</summary>
public sealed class ProxyProgramTests : ProgramTests
{
    [Fact]
    public async Task Version_help_andErrors_have_their_exit_codes()
    {
        Assert.Equal(0, await RunAsync("--version"));
        Assert.Equal("Kubernetes v1.37.0\n", Output.ToString());
        Assert.Equal(0, await RunAsync("--help"));
        Assert.Equal(1, await RunAsync("--nonsense"));
        Assert.Contains("--nonsense", Errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, await RunAsync("--config", "/nonexistent"));
        Assert.Contains("/nonexistent", Errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, await RunAsync("--proxy-mode=bogus", "--manifests", Directory));
        Assert.Equal(1, await RunAsync("--proxy-mode=nftables", "--conntrack-max-per-core=0"));
    }

    [Fact]
    public async Task The_configuration_in_force_can_be_written_and_used()
    {
        var path = Path.Combine(Directory, "out.yaml");
        Assert.Equal(0, await RunAsync("--proxy-mode=nftables", "--cluster-cidr=10.0.0.0/8", "--write-config-to", path));
        Assert.Contains("clusterCIDR: \"10.0.0.0/8\"\n", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("--config", path, "--init-only"));
    }

    [Fact]
    public async Task To_write_the_configuration_warns_as_a_start_does()
    {
        var path = Path.Combine(Directory, "out.yaml");
        var file = WriteFile("config.yaml", """
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            mode: nftables
            nonsense: 1
            clusterCIDR: 10.0.0.0/8
            clusterCIDR: 10.1.0.0/16
            iptables: {alsoNonsense: true}
            """);
        Assert.Equal(0, await RunAsync("--config", file, "--write-config-to", path));
        var log = ReadLog();
        foreach (var field in new[] { "nonsense", "clusterCIDR", "iptables.alsoNonsense" }) Assert.Contains(field, log, StringComparison.Ordinal);
        Assert.Equal(3, log.Split('\n').Count(line => line.Contains(file, StringComparison.Ordinal)));
        Assert.Contains("clusterCIDR: \"10.1.0.0/16\"", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Init_only_sets_the_sysctls_of_the_mode_and_ends()
    {
        WriteFile("proc/sys/net/ipv4/vs/conntrack", "0\n");
        WriteFile("proc/sys/net/ipv4/conf/all/arp_ignore", "0\n");
        Assert.Equal(0, await RunAsync("--init-only", "--proxy-mode=ipvs", "--ipvs-strict-arp"));
        Assert.Equal(("1\n", "1\n"), (ReadFile("proc/sys/net/ipv4/vs/conntrack"), ReadFile("proc/sys/net/ipv4/conf/all/arp_ignore")));

        Assert.Equal(1, await RunAsync("--init-only", "--proxy-mode=iptables")); // There is no route_localnet.
        Assert.Equal(0, await RunAsync("--init-only", "--proxy-mode=iptables", "--iptables-localhost-nodeports=false"));
        Assert.Equal(0, await RunAsync("--init-only", "--proxy-mode=iptables", "--nodeport-addresses=192.0.2.0/24"));
        WriteFile("proc/sys/net/ipv4/conf/all/route_localnet", "0\n");
        Assert.Equal(0, await RunAsync("--init-only", "--proxy-mode=nftables"));
        Assert.Equal("0\n", ReadFile("proc/sys/net/ipv4/conf/all/route_localnet"));
        Assert.Equal(0, await RunAsync("--init-only", "--proxy-mode=iptables"));
        Assert.Equal("1\n", ReadFile("proc/sys/net/ipv4/conf/all/route_localnet"));
        Assert.Empty(Backends);
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
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "m"));
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        var arguments = Arguments(port, FreePort(), "bindAddressHardFail: true\n");
        Assert.Equal(1, await new ProxyProgram(Parts()).RunAsync(arguments, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Manifests_reach_theBackends_and_the_servers_tell()
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
        File.Delete(Path.Combine(Directory, "m/web.yaml"));
        await EventuallyAsync($"http://127.0.0.1:{check}/", null);

        var ipv4 = Assert.Single(Backends, backend => backend.Family == IpFamily.IPv4);
        Assert.Contains(ipv4.Updated, name => name == new ServicePortName(new NamespacedName("default", "web"), "", Protocol.Tcp));
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    [Fact]
    public async Task A_proxy_that_has_never_programmed_anything_is_alive_and_neither_healthy_nor_ready()
    {
        var (healthz, metrics) = (FreePort(), FreePort());
        WriteFile("m/node.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: node1}\nstatus: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var parts = Parts() with
        {
            CreateBackend = context => new FakeBackend(context) { SyncProblem = context.Family == IpFamily.IPv6 ? new ProxyBackendException("the kernel said no") : null },
        };
        var run = new ProxyProgram(parts).RunAsync(Arguments(healthz, metrics), stop.Token);
        await EventuallyContainsAsync(healthz, "/healthz", ""","reasons":["IPv6: nothing has been programmed yet: the kernel said no"]}""");
        Assert.DoesNotContain("reasons", await EventuallyAsync($"http://127.0.0.1:{healthz}/livez", HttpStatusCode.OK), StringComparison.Ordinal);
        Assert.StartsWith("IPv6: the first sync is not done yet: the kernel said no\n", await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    [Fact]
    public async Task Rivals_make_it_unready_while_they_are_there()
    {
        var metrics = FreePort();
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "m"));
        var search = new FakeRivalSearch();
        Rivals.Add(search);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = new ProxyProgram(Parts()).RunAsync(Arguments(FreePort(), metrics), stop.Token);
        Assert.Equal("ok", await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.OK));
        search.Found = [new Rival("rules of another", "x", CanWin: true, "Stop it.")];
        Assert.Equal("rules of another (x) can win over those of this proxy. Stop it.\n", await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.ServiceUnavailable));
        await EventuallyContainsAsync(metrics, "/status", "rules of another (x)");
        search.Found = [];
        Assert.Equal("ok", await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.OK));
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    private static async Task EventuallyContainsAsync(int port, string path, string text)
    {
        using var client = new HttpClient();
        var last = "";
        for (var attempt = 0; attempt < 200 && !last.Contains(text, StringComparison.Ordinal); attempt++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
            try
            {
                using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{port}{path}"), TestContext.Current.CancellationToken);
                last = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            }
            catch (HttpRequestException problem)
            {
                last = problem.Message;
            }
        }

        Assert.Contains(text, last, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_of_an_API_server_reach_theBackends_and_a_kubeconfig_with_a_mistake_is_named()
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
        var ipv4 = Assert.Single(Backends, backend => backend.Family == IpFamily.IPv4);
        Assert.Contains(ipv4.Updated, name => name.Service.Name == "web");
        await stop.CancelAsync();
        Assert.Equal(0, await run);

        WriteFile("kubeconfig", "apiVersion: v1\nkind: Config\ncurrent-context: other\n");
        Assert.Equal(1, await new ProxyProgram(Parts()).RunAsync(arguments, TestContext.Current.CancellationToken));
    }
}
