using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Userspace;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Benchmarks;

/// <summary>The node of the comparison of relays: a backend with one service port for each of the endpoint's ports.</summary>
internal static class RelayNode
{
    public const string ClusterIp = "10.96.0.10";

    /// <summary>Programs the services and waits until the process is killed; says "ready" first.</summary>
    public static async Task RunAsync(string mode, string endpoint)
    {
        await using var connection = NftablesConnection.Open();
        await using var backend = Create(mode, connection);
        await backend.StartAsync(_ => { }, CancellationToken.None);
        await backend.SyncAsync(
            new PlanChanges
            {
                Node = new NodePlan { Family = IpFamily.IPv4 },
                Updated = [.. new[] { RelayServer.AnswerPort, RelayServer.SinkPort, RelayServer.HoldPort }.Select(port => Plan((ushort)port, endpoint))],
            },
            CancellationToken.None);
        Console.WriteLine("ready");
        await Task.Delay(Timeout.Infinite);
    }

    private static IProxyBackend Create(string mode, NftablesConnection connection) => mode == "userspace"
        ? new UserspaceBackend(
            new UserspaceBackendOptions { Family = IpFamily.IPv4 },
            UserspaceBackendParts.Open(connection, RelayOptions.ForThisProcess(IpFamily.IPv4) with { Connections = new ConnectionLimit(6000) }, NullLoggerFactory.Instance),
            NullLogger<UserspaceBackend>.Instance)
        : new NftablesBackend(
            new NftablesBackendOptions { Family = IpFamily.IPv4 },
            NftablesBackendParts.Open(connection, IpFamily.IPv4),
            NullLogger<NftablesBackend>.Instance);

    private static ServicePortPlan Plan(ushort port, string endpoint) => new()
    {
        Name = new ServicePortName(new NamespacedName("bench", "relayed"), $"p{port}", Protocol.Tcp),
        Family = IpFamily.IPv4,
        Frontends =
        [
            new Frontend
            {
                Key = new FrontendKey(IpAddr.Parse(ClusterIp), Protocol.Tcp, port),
                Kind = FrontendKind.ClusterIP,
                Destination = Destination.ClusterEndpoints,
            },
        ],
        ClusterEndpoints = [new IpEndpoint(IpAddr.Parse(endpoint), port)],
    };
}
