using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using KubeProxy.Core.Model;
using KubeProxy.Host.Backends;
using KubeProxy.Host.Composition;
using KubeProxy.Host.Http;
using KubeProxy.Host.Inspection;

namespace KubeProxy.Host.Tests.Inspection;

/// <summary>The running program, asked over its socket.</summary>
public sealed class ControlSocketTests : ProgramTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string SocketPath => Path.Combine(Directory, "kp.sock");

    [Fact]
    public async Task Status_says_on_one_screen_whether_all_is_well()
    {
        WriteFile("m/web.yaml", Web(FreePort()));
        await WhileRunningAsync(async () =>
        {
            Assert.Equal(0, await AskAsync("status"));
            Assert.StartsWith("nftables on node node1: all is in force\n1 Services, 1 endpoints in 1 EndpointSlices\nIPv4: 1 service ports, ", Output.ToString(), StringComparison.Ordinal);
            Output.GetStringBuilder().Clear();
            Assert.Equal(0, await AskAsync("status", "--output", "json"));
            using var json = JsonDocument.Parse(Output.ToString());
            Assert.Equal("node1", json.RootElement.GetProperty("node").GetString());
        });
    }

    [Fact]
    public async Task Diff_over_a_backend_that_wrote_nothing_names_everything()
    {
        WriteFile("m/web.yaml", Web(FreePort()));
        await WhileRunningAsync(async () =>
        {
            Assert.Equal(1, await AskAsync("diff"));
            Assert.Contains("IPv4 missing element ip kube-proxy endpoints 10.96.0.10 . tcp . 80 . 0 : 10.244.1.1 . 8080\n", Output.ToString(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Explain_and_changes_tell_since_when_and_why()
    {
        WriteFile("m/web.yaml", Web(FreePort()));
        await WhileRunningAsync(async () =>
        {
            Assert.Equal(0, await AskAsync("explain", "node:30080"));
            Assert.StartsWith("default/web 80/tcp, IPv4: pods, this node: balanced over 1 of 1 endpoint; outside: balanced over 1 of 1 endpoint, those on this node\n", Output.ToString(), StringComparison.Ordinal);
            Assert.Matches(@"\n  since: \S+Z Service default/web, .*: 0 kernel objects in \d+\.\d ms\n", Output.ToString());
            Output.GetStringBuilder().Clear();
            Assert.Equal(0, await AskAsync("explain", "default/web:80", "--output", "json"));
            using var json = JsonDocument.Parse(Output.ToString());
            Assert.Equal("default/web:80", json.RootElement.GetProperty("target").GetString());

            Output.GetStringBuilder().Clear();
            Assert.Equal(1, await AskAsync("explain", "10.96.0.10:80", "--kernel"));
            Assert.Contains("\nkernel: missing element ip kube-proxy endpoints 10.96.0.10 . tcp . 80 . 0 : 10.244.1.1 . 8080\n", Output.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("kernel: missing chain", Output.ToString(), StringComparison.Ordinal);
            Assert.Equal(2, await AskAsync("explain", "10.96.0.10:80", "--kernel", "--offline"));

            using var changes = JsonDocument.Parse((await RawAsync("GET /changes?limit=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).Split("\r\n\r\n", 2)[1]);
            Assert.Equal(1, changes.RootElement.GetProperty("changes").GetArrayLength());
            Assert.StartsWith("HTTP/1.1 400 ", await RawAsync("GET /changes?limit=x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
            Assert.StartsWith("HTTP/1.1 400 ", await RawAsync("GET /explain?target=%1b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task It_is_of_root_alone_and_changes_nothing()
    {
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "m"));
        await WhileRunningAsync(async () =>
        {
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
            foreach (var method in new[] { "POST", "PUT", "DELETE", "PATCH" }) Assert.StartsWith("HTTP/1.1 405 ", await RawAsync($"{method} /status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
            Assert.StartsWith("HTTP/1.1 404 ", await RawAsync("GET /debug/flags/v HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
            Assert.StartsWith("HTTP/1.1 414 ", await RawAsync($"GET /diff?{new string('a', ReadOnlyPages.LongestQuery)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
        });
        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public async Task Without_a_running_proxy_subcommands_say_so_and_end_with_2()
    {
        Assert.Equal(2, await AskAsync("status"));
        Assert.Contains($"kube-proxy status: the running proxy cannot be asked on {SocketPath}", Errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, await AskAsync("diff"));
    }

    [Fact]
    public void A_socket_that_a_killed_process_left_is_replaced_and_nothing_else_is()
    {
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            left.Bind(new UnixDomainSocketEndPoint(SocketPath));
            File.Move(SocketPath, SocketPath + ".left");
        }

        File.Move(SocketPath + ".left", SocketPath);
        using (var socket = ControlSocket.Bind(SocketPath))
        {
            socket.Listen();
            Assert.Contains("another process", Assert.Throws<IOException>(() => ControlSocket.Bind(SocketPath)).Message, StringComparison.Ordinal);
        }

        var file = WriteFile("file", "precious");
        Assert.Contains("no socket", Assert.Throws<IOException>(() => ControlSocket.Bind(file)).Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(file));
        File.CreateSymbolicLink(Path.Combine(Directory, "link"), file);
        Assert.Throws<IOException>(() => ControlSocket.Bind(Path.Combine(Directory, "link")));
    }

    [Fact]
    public async Task A_place_where_it_cannot_be_is_a_warning_and_all_else_works()
    {
        WriteFile("m/web.yaml", Web(FreePort()));
        var metrics = FreePort();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = new ProxyProgram(Parts()).RunAsync([.. Arguments(FreePort(), metrics), "--socket", "/no/such/place"], stop.Token);
        await EventuallyAsync($"http://127.0.0.1:{metrics}/readyz", System.Net.HttpStatusCode.OK);
        Assert.Contains("Subcommands cannot be answered on /no/such/place (--socket)", ReadLog(), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    [Fact]
    public void What_is_wrong_is_on_the_screen_and_in_the_exit_code()
    {
        using var json = JsonDocument.Parse("""
            {"mode":"nftables","node":"n","healthy":true,"ready":false,"doubts":["IPv4: refused and left out: default/a"],"rivals":[],
             "families":[{"family":"IPv4","servicePorts":2,"syncs":3,"failedSyncs":1,"quarantined":[{"servicePort":"default/a","reason":"E\u001b[2JNOENT","since":"2026-01-01T00:00:00Z"}]}],
             "apiServer":{"connected":false,"awaySince":"2026-01-01T00:00:00Z","lastError":"refused"},
             "problems":["1","2","3","4","5","6","7","8","9"]}
            """);
        var report = new StatusReport(json.RootElement);
        Assert.Equal(1, report.ExitCode);
        Assert.Equal("""
            nftables on node n: NOT READY
            0 Services, 0 endpoints in 0 EndpointSlices
            IPv4: 2 service ports, 3 syncs, 1 failed, no sync yet
            API server: away since 2026-01-01T00:00:00Z: refused

            Wrong:
              IPv4: refused and left out: default/a

            Refused by the kernel:
              default/a, since 2026-01-01T00:00:00Z: E\x1b[2JNOENT

            Problems of objects:
              1
              2
              3
              4
              5
              6
              7
              8
              and 1 more

            """, report.ToText());
    }

    internal static async Task UntilSyncedAsync(Func<Task<string>> getStatus)
    {
        for (var attempt = 0; attempt < 200; attempt++)
        {
            if ((await getStatus()).Contains("\"ready\": true", StringComparison.Ordinal)) return;
            await Task.Delay(50, Cancel);
        }

        Assert.Fail("It did not become ready.");
    }

    private async Task WhileRunningAsync(Func<Task> ask)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var parts = Parts() with { OpenKernel = _ => new DryRunKernel { Root = Directory, Addresses = [IpAddr.Parse("192.0.2.1")] } };
        var run = new ProxyProgram(parts).RunAsync([.. Arguments(FreePort(), FreePort()), "--socket", SocketPath], stop.Token);
        using var proxy = new RunningProxy(SocketPath, TimeSpan.FromSeconds(10));
        await UntilSyncedAsync(async () =>
        {
            try
            {
                return Encoding.UTF8.GetString(await proxy.GetAsync("/status", Cancel));
            }
            catch (RunningProxyException)
            {
                return "";
            }
        });
        await ask();
        await stop.CancelAsync();
        Assert.Equal(0, await run);
    }

    private Task<int> AskAsync(string command, params string[] more) => RunAsync([command, "--socket", SocketPath, .. more]);

    private async Task<string> RawAsync(string request)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), Cancel);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), Cancel);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Cancel);
    }
}
