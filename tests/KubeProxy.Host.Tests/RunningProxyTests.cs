using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using KubeProxy.Host.Composition;
using KubeProxy.TestKit.Api;

namespace KubeProxy.Host.Tests;

/// <summary>What happens beside the rules while the program runs: its file changes, it tells systemd and the API server, it cleans up.</summary>
public sealed class RunningProxyTests : ProgramTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Changes_of_the_file_are_applied_live_where_that_is_possible()
    {
        var metrics = FreePort();
        WriteFile("m/web.yaml", Web(FreePort()));
        WriteFile("sys/module/nf_conntrack/parameters/hashsize", "1\n");
        var timeout = WriteFile("proc/sys/net/netfilter/nf_conntrack_udp_timeout", "30\n");
        var oom = WriteFile("proc/self/oom_score_adj", "0\n");
        var arguments = Arguments(FreePort(), metrics, "conntrack: {udpTimeout: 30s}\n");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(Parts()).RunAsync(arguments, stop.Token);
        var pages = $"http://127.0.0.1:{metrics}";
        await EventuallyAsync(pages + "/readyz", HttpStatusCode.OK);
        await EventuallyAsync(pages + "/debug/pprof/heap", HttpStatusCode.NotFound);
        Assert.Equal("-999", (await File.ReadAllTextAsync(oom, Cancel)).Trim());

        Change(arguments[1], "enableProfiling: true\noomScoreAdj: -500\nnodePortAddresses: [192.0.2.0/24]\nnftables: {minSyncPeriod: 2s}\niptables: {masqueradeBit: 3}\nconntrack: {udpTimeout: 7s}\n");
        await EventuallyAsync(pages + "/debug/pprof/heap", HttpStatusCode.OK);
        await UntilAsync(() => File.ReadAllText(oom).StartsWith("-500", StringComparison.Ordinal) && File.ReadAllText(timeout).StartsWith('7'));
        var inForce = JsonNode.Parse(await EventuallyAsync(pages + "/configz", HttpStatusCode.OK))!["kubeproxy.config.k8s.io"]!;
        Assert.Equal(("2s", "192.0.2.0/24"), ((string?)inForce["nftables"]!["minSyncPeriod"], (string?)inForce["nodePortAddresses"]![0]));
        await UntilAsync(() => Backends[0].NodePortBlocks == "192.0.2.0/24");

        Change(arguments[1], "nftables: {minSyncPeriod: x}\n");
        await Task.Delay(500, Cancel);
        Assert.False(run.IsCompleted); // A file that cannot be used changes nothing.
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    [Theory]
    [InlineData("clusterCIDR: 10.0.0.0/8\n")]
    [InlineData("nftables: {masqueradeBit: 3}\n")]
    public async Task A_change_that_cannot_be_applied_ends_the_program_with_1(string change)
    {
        var metrics = FreePort();
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "m"));
        // As kubelet mounts a ConfigMap: the file is a link through ..data, which is replaced.
        var arguments = Arguments(FreePort(), metrics);
        var text = await File.ReadAllTextAsync(arguments[1], Cancel);
        WriteFile("map/..v1/config.conf", text);
        var (data, file) = (Path.Combine(Directory, "map/..data"), Path.Combine(Directory, "map/config.conf"));
        File.CreateSymbolicLink(data, "..v1");
        File.CreateSymbolicLink(file, "..data/config.conf");
        arguments[1] = file;
        var run = new ProxyProgram(Parts()).RunAsync(arguments, Cancel);
        await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", HttpStatusCode.OK);
        await Task.Delay(300, Cancel);
        Assert.False(run.IsCompleted);
        WriteFile("map/..v2/config.conf", text + change);
        System.IO.Directory.Delete(data);
        File.CreateSymbolicLink(data, "..v2");
        Assert.Equal(1, await run.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    [Fact]
    public async Task Rules_of_other_modes_go_after_the_first_sync_and_systemd_is_told()
    {
        var (metrics, order) = (FreePort(), new List<string>());
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "m"));
        var path = Path.Combine(Directory, "notify");
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(path));
        var (broken, cleaner) = (new FakeCleaner(new IOException("no")), new FakeCleaner(null));
        var parts = Parts() with
        {
            NotifySocket = path,
            CleanersAtStart = configuration =>
            {
                order.Add($"clean {configuration.Mode} after {Backends.Count(backend => backend.Syncs > 0)} families");
                return [broken, cleaner];
            },
        };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(parts).RunAsync(Arguments(FreePort(), metrics), stop.Token);
        Assert.StartsWith("READY=1\n", await ReceiveAsync(), StringComparison.Ordinal);
        await UntilAsync(() => cleaner.Runs == 1);
        Assert.Equal((1, "clean nftables after 2 families"), (broken.Runs, Assert.Single(order)));
        await stop.CancelAsync();
        Assert.StartsWith("STOPPING=1\n", await ReceiveAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await run);

        async Task<string> ReceiveAsync()
        {
            var buffer = new byte[200];
            return Encoding.UTF8.GetString(buffer, 0, await systemd.ReceiveAsync(buffer, SocketFlags.None, Cancel));
        }
    }

    [Fact]
    public async Task Events_are_recorded_about_the_node_and_services()
    {
        await using var server = await FakeApiServer.StartAsync();
        server.Set("nodes", ApiObjects.Node("node1"));
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Any, 0));
        taken.Listen();
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        var service = ApiObjects.Service("web", "10.96.0.10");
        service["spec"]!["type"] = "LoadBalancer";
        service["spec"]!["externalTrafficPolicy"] = "Local";
        service["spec"]!["healthCheckNodePort"] = port;
        service["status"]!["loadBalancer"] = new JsonObject { ["ingress"] = new JsonArray(new JsonObject { ["ip"] = "198.51.100.1" }) };
        server.Set("services", service);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var arguments = Arguments(FreePort(), FreePort(), "nodePortAddresses: [127.0.0.0/8]\n");
        var run = new ProxyProgram(Parts()).RunAsync([.. arguments[..2], "--master", server.Url.ToString()], stop.Token);
        var starting = await EventAsync(server, "Starting");
        Assert.Equal(("Node", "node1", "v1"), ((string?)starting["regarding"]!["kind"], (string?)starting["regarding"]!["name"], (string?)starting["regarding"]!["apiVersion"]));
        Assert.Equal(("events.k8s.io/v1", "kube-proxy", "StartKubeProxy", "Normal"), ((string?)starting["apiVersion"], (string?)starting["reportingController"], (string?)starting["action"], (string?)starting["type"]));
        Assert.Equal("kube-proxy-" + Dns.GetHostName(), (string?)starting["reportingInstance"]);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", (string?)starting["eventTime"]);
        var refused = await EventAsync(server, "FailedToStartServiceHealthcheck");
        Assert.Equal(("Service", "default", "web", "Listen", "Warning"), ((string?)refused["regarding"]!["kind"], (string?)refused["regarding"]!["namespace"], (string?)refused["regarding"]!["name"], (string?)refused["action"], (string?)refused["type"]));
        Assert.Contains($"port {port}", (string?)refused["note"], StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(0, await run);

        var failing = Arguments(port, FreePort(), "bindAddressHardFail: true\n")[..2];
        Assert.Equal(1, await new ProxyProgram(Parts()).RunAsync([.. failing, "--master", server.Url.ToString()], Cancel).WaitAsync(TimeSpan.FromSeconds(10), Cancel));
        Assert.Contains($":{port}", (string?)(await EventAsync(server, "FailedToStartProxierHealthcheck"))["note"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_check_node_ports_that_others_have_are_problems_until_they_have_them_no_more()
    {
        var (healthz, metrics, shared) = (FreePort(), FreePort(), FreePort());
        WriteFile("m/a.yaml", Web(shared));
        WriteFile("m/b.yaml", Other(Web(shared), "xyz", 1));
        WriteFile("m/c.yaml", Other(Web(healthz), "zzz", 2));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(Parts()).RunAsync(Arguments(healthz, metrics, "nodePortAddresses: [127.0.0.0/8]\n"), stop.Token);
        var pages = $"http://127.0.0.1:{metrics}";
        var problems = await ProblemsAsync(found => found.Length == 2);
        Assert.StartsWith($"Service default/xyz spec.healthCheckNodePort: cannot listen on port {shared} (IPv4), so load balancers take this node for unhealthy", problems[0], StringComparison.Ordinal);
        Assert.EndsWith("Service default/web has it", problems[0], StringComparison.Ordinal);
        Assert.StartsWith($"Service default/zzz spec.healthCheckNodePort: cannot listen on port {healthz} (IPv4)", problems[1], StringComparison.Ordinal);
        File.Delete(Path.Combine(Directory, "m/a.yaml"));
        File.Delete(Path.Combine(Directory, "m/c.yaml"));
        await ProblemsAsync(found => found.Length == 0);
        await stop.CancelAsync();
        Assert.Equal(0, await run);

        static string Other(string text, string name, int number) => text.Replace("web", name, StringComparison.Ordinal)
            .Replace("10.96.0.10", $"10.96.0.1{number}", StringComparison.Ordinal).Replace("30080", $"3008{number}", StringComparison.Ordinal)
            .Replace("198.51.100.1", $"198.51.100.2{number}", StringComparison.Ordinal);

        async Task<string[]> ProblemsAsync(Func<string[], bool> condition)
        {
            string[] found = [];
            for (var attempt = 0; attempt < 300; attempt++)
            {
                found = [.. JsonNode.Parse(await EventuallyAsync(pages + "/status", HttpStatusCode.OK))!["problems"]!.AsArray().Select(problem => (string)problem!)];
                if (condition(found)) return found;
                await Task.Delay(50, Cancel);
            }

            Assert.Fail(string.Join('\n', found));
            return found;
        }
    }

    [Fact]
    public async Task That_mode_ipvs_is_deprecated_is_told_by_an_event()
    {
        await using var server = await FakeApiServer.StartAsync();
        server.Set("nodes", ApiObjects.Node("node1"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var arguments = Arguments(FreePort(), FreePort());
        await File.WriteAllTextAsync(arguments[1], (await File.ReadAllTextAsync(arguments[1], Cancel)).Replace("mode: nftables", "mode: ipvs", StringComparison.Ordinal), Cancel);
        var run = new ProxyProgram(Parts()).RunAsync([.. arguments[..2], "--master", server.Url.ToString()], stop.Token);
        var told = await EventAsync(server, "IPVSDeprecation");
        Assert.Equal(("Warning", "StartKubeProxy", "Node"), ((string?)told["type"], (string?)told["action"], (string?)told["regarding"]!["kind"]));
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    private static async Task<JsonNode> EventAsync(FakeApiServer server, string reason)
    {
        var request = await server.WaitForRequestAsync(request => request.Resource == "events" && request.Body.Contains($"\"{reason}\"", StringComparison.Ordinal))
            .WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        return JsonNode.Parse(request.Body)!;
    }

    private static void Change(string file, string more)
    {
        var lines = File.ReadAllLines(file).Where(line => !line.StartsWith("conntrack", StringComparison.Ordinal) && line.Length > 0).Take(6);
        File.WriteAllText(file, string.Join('\n', lines) + "\n" + more);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var attempt = 0; !condition(); attempt++)
        {
            Assert.True(attempt < 200, "It did not come true in time.");
            await Task.Delay(50, Cancel);
        }
    }
}
