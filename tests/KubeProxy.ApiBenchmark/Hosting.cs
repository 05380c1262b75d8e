using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace KubeProxy.ApiBenchmark;

/// <summary>
/// The program as it is installed: from its start to the rules in the kernel, with what that cost. The server is a process of its own;
/// both are in a network namespace that is made for the run. When the rules are in force is what the program tells systemd.
/// </summary>
internal static class Hosting
{
    private const int Port = 6443;

    // When memory counts as settled: the program gives back what the start took 3 s after the first sync.
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task<int> RunAsync(string binary, int services, int endpoints, TimeSpan idle, int runs, string contentType)
    {
        var directory = Directory.CreateTempSubdirectory("kube-proxy-benchmark-").FullName;
        try
        {
            Console.WriteLine("services  endpoints  ready ms  CPU ms  peak MiB  settled MiB  of it anonymous");
            for (var run = 0; run < runs; run++) await MeasureAsync(binary, directory, services, endpoints, run == runs - 1 ? idle : TimeSpan.Zero, contentType);
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task MeasureAsync(string binary, string directory, int services, int endpoints, TimeSpan idle, string contentType)
    {
        var ns = $"kpa-{Environment.ProcessId}";
        Execute("ip", "netns", "add", ns);
        try
        {
            Execute("ip", "-n", ns, "link", "set", "lo", "up");
            var authority = Path.Combine(directory, "ca.crt");
            using var server = Start(ns, Environment.ProcessPath!, ["serve", Text(services), Text(endpoints), Text(Port), authority], redirect: true);
            try
            {
                await server.StandardOutput.ReadLineAsync(); // It serves.
                await MeasureAsync(ns, binary, WriteConfiguration(directory, authority, contentType), directory, services, endpoints, idle);
            }
            finally
            {
                server.Kill();
                await server.WaitForExitAsync();
            }
        }
        finally
        {
            Execute("ip", "netns", "delete", ns);
        }
    }

    private static async Task MeasureAsync(string ns, string binary, string configuration, string directory, int services, int endpoints, TimeSpan idle)
    {
        var path = Path.Combine(directory, "notify");
        using var notify = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        notify.Bind(new UnixDomainSocketEndPoint(path));
        var start = Stopwatch.GetTimestamp();
        using var proxy = Start(ns, binary, ["--config", configuration], redirect: false, notifySocket: path);
        try
        {
            await ReadyAsync(notify, proxy);
            var ready = Stopwatch.GetElapsedTime(start);
            var cpu = ProcessNumbers.Cpu(proxy.Id);
            var peak = ProcessNumbers.MiB(Text(proxy.Id), "VmHWM");
            await Task.Delay(SettleTime);
            var process = Text(proxy.Id);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{services,8}  {services * endpoints,9}  {ready.TotalMilliseconds,8:0}  {cpu.TotalMilliseconds,6:0}  {Math.Max(peak, ProcessNumbers.MiB(process, "VmHWM")),8:0.0}  {ProcessNumbers.MiB(process, "VmRSS"),11:0.0}  {ProcessNumbers.MiB(process, "RssAnon"),15:0.0}"));
            if (idle > TimeSpan.Zero) await IdleAsync(proxy.Id, idle);
        }
        finally
        {
            proxy.Kill();
            await proxy.WaitForExitAsync();
            File.Delete(path);
        }
    }

    private static async Task ReadyAsync(Socket notify, Process proxy)
    {
        var buffer = new byte[4096];
        using var limit = new CancellationTokenSource(Patience);
        var exited = proxy.WaitForExitAsync(limit.Token);
        while (true)
        {
            var message = notify.ReceiveAsync(buffer, limit.Token).AsTask();
            if (await Task.WhenAny(message, exited) == exited) throw new InvalidOperationException("the program ended, or is not ready after two minutes");
            if (Encoding.UTF8.GetString(buffer, 0, await message).Contains("READY=1", StringComparison.Ordinal)) return;
        }
    }

    private static async Task IdleAsync(int process, TimeSpan idle)
    {
        var (cpu, waits) = (ProcessNumbers.Cpu(process), ProcessNumbers.Waits(process));
        await Task.Delay(idle);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"idle for {idle.TotalSeconds:0} s: {(ProcessNumbers.Cpu(process) - cpu).TotalMilliseconds:0} ms of CPU, {ProcessNumbers.Waits(process) - waits:0} waits of threads"));
    }

    private static string WriteConfiguration(string directory, string authority, string contentType)
    {
        var kubeconfig = Path.Combine(directory, "kubeconfig");
        File.WriteAllText(kubeconfig, $$"""
            apiVersion: v1
            kind: Config
            current-context: main
            contexts: [{name: main, context: {cluster: here, user: proxy} }]
            clusters: [{name: here, cluster: {server: "https://127.0.0.1:{{Port}}", certificate-authority: {{authority}} } }]
            users: [{name: proxy, user: {token: secret} }]
            """);
        var path = Path.Combine(directory, "config.conf");
        File.WriteAllText(path, $$"""
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            mode: nftables
            hostnameOverride: node1
            clusterCIDR: 11.0.0.0/8
            clientConnection: {kubeconfig: {{kubeconfig}}, contentType: {{contentType}} }
            conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
            """);
        return path;
    }

    private static Process Start(string ns, string program, string[] arguments, bool redirect, string? notifySocket = null)
    {
        // ip becomes the program: it has the same process id.
        var start = new ProcessStartInfo("ip", ["netns", "exec", ns, program, .. arguments]) { RedirectStandardOutput = redirect };
        if (notifySocket is not null) start.Environment["NOTIFY_SOCKET"] = notifySocket;
        return Process.Start(start)!;
    }

    private static void Execute(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
