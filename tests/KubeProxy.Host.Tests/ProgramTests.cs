using System.Net;
using System.Net.Sockets;
using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using KubeProxy.Host.Composition;

namespace KubeProxy.Host.Tests;

/// <summary>Runs the whole program in this process, with backends that only remember.</summary>
public abstract class ProgramTests : IDisposable
{
    private static int _lastPort = Environment.ProcessId % 100 * 100; // Test programs may run side by side.

    internal string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("kubeproxy-host").FullName;
    internal StringWriter Output { get; } = new();
    internal StringWriter Errors { get; } = new();
    internal MemoryStream Log { get; } = new();
    internal List<FakeBackend> Backends { get; } = [];
    internal List<IRivalSearch> Rivals { get; } = [];

    public void Dispose()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        Output.Dispose();
        Errors.Dispose();
        GC.SuppressFinalize(this);
    }

    internal ProxyParts Parts(params IRuleCleaner[] cleaners) => new()
    {
        CreateBackend = context =>
        {
            lock (Backends) Backends.Add(new FakeBackend(context));
            return Backends[^1];
        },
        Cleaners = _ => cleaners,
        CleanersAtStart = _ => [],
        NoteSysctls = (_, _) => Task.CompletedTask,
        CreateRivalSearches = (_, _, _, _) => Rivals,
        NotifySocket = null,
        Socket = null,
        InterfaceAddresses = () => [IpAddr.Parse("127.0.0.1"), IpAddr.Parse("::1")],
        HasIpv6 = () => true,
        Root = Directory,
        Output = Output,
        OpenLog = () => Stream.Synchronized(Log),
        Errors = Errors,
    };

    internal Task<int> RunAsync(params string[] arguments) => new ProxyProgram(Parts()).RunAsync(arguments, TestContext.Current.CancellationToken);

    internal string WriteFile(string name, string text)
    {
        var path = Path.Combine(Directory, name);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>What has been logged so far.</summary>
    internal string ReadLog()
    {
        lock (Log) return System.Text.Encoding.UTF8.GetString(Log.ToArray());
    }

    internal string ReadFile(string name) => File.ReadAllText(Path.Combine(Directory, name));

    internal string[] Arguments(int healthz, int metrics, string more = "")
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
        return ["--config", file, "--manifests", Path.Combine(Directory, "m")];
    }

    internal static string Web(int check) => $$"""
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

    /// <summary>
    /// A port that nobody listens on, given once, and below those that the kernel gives to clients: one of theirs may be taken again
    /// before the program listens.
    /// </summary>
    internal static int FreePort()
    {
        while (true)
        {
            var port = 15_000 + (Interlocked.Increment(ref _lastPort) % 10_000);
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
                return port;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // The next one.
            }
        }
    }

    /// <summary>Asks until the status is as expected; null stands for a refused connection.</summary>
    internal static async Task<string> EventuallyAsync(string address, HttpStatusCode? expected)
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

    internal sealed class FakeCleaner(Exception? problem) : IRuleCleaner
    {
        public int Runs { get; private set; }

        public string Subject => "fake";

        public Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
        {
            Runs++;
            return problem is null ? Task.FromResult<IReadOnlyList<string>>(["x"]) : Task.FromException<IReadOnlyList<string>>(problem);
        }
    }

    internal sealed class FakeBackend(BackendContext context) : IProxyBackend
    {
        public Exception? StartProblem { get; init; }

        public Exception? SyncProblem { get; init; }

        public List<ServicePortName> Updated { get; } = [];

        public int Syncs { get; private set; }

        public string? NodePortBlocks { get; private set; }

        public string? PodBlock { get; } = context.Masquerade.LocalDetector is LocalTrafficDetector.Source source ? source.Cidr.ToString() : null;

        public IpFamily Family => context.Family;

        public Task StartAsync(Action<string> requestSync, CancellationToken cancellationToken) =>
            StartProblem is null ? Task.CompletedTask : Task.FromException(StartProblem);

        public Task<SyncResult> SyncAsync(PlanChanges changes, CancellationToken cancellationToken)
        {
            if (SyncProblem is not null) throw SyncProblem;
            if (changes.Node is { } node) NodePortBlocks = string.Join(',', node.NodePortAddresses);
            Syncs++;
            Updated.AddRange(changes.Updated.Select(plan => plan.Name));
            return Task.FromResult(new SyncResult());
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
