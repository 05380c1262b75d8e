using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Userspace;
using KubeProxy.Netfilter.Tests.Backends;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>A userspace backend of IPv4 in this process, with its relay in a namespace.</summary>
internal sealed class KernelRelay : IAsyncDisposable
{
    private readonly NftablesConnection _connection;
    private readonly UserspaceBackend _backend;
    private readonly OwnMeters _meters;

    private KernelRelay(NftablesConnection connection, UserspaceBackend backend, OwnMeters meters) =>
        (_connection, _backend, _meters) = (connection, backend, meters);

    /// <summary>The TCP connections that are relayed now.</summary>
    public int Connections => _meters.ReadConnections();

    public static async Task<KernelRelay> StartAsync(NetworkNamespace node, Func<RelayOptions, RelayOptions> configure)
    {
        var meters = new OwnMeters();
        var relay = node.Run(() =>
        {
            var connection = NftablesConnection.Open();
            var parts = UserspaceBackendParts.Open(connection, configure(RelayOptions.ForThisProcess(IpFamily.IPv4)), NullLoggerFactory.Instance, meters);
            var options = new UserspaceBackendOptions { Family = IpFamily.IPv4, Masquerade = Plans.Policy(IpFamily.IPv4) };
            return new KernelRelay(connection, new UserspaceBackend(options, parts, NullLogger<UserspaceBackend>.Instance), meters);
        });
        await node.Run(() => relay._backend.StartAsync(_ => { }, TestContext.Current.CancellationToken));
        return relay;
    }

    public Task ServeAsync(string address, ushort port, params IEnumerable<string> endpoints) => ServeAsync(FrontendKind.ClusterIP, address, port, endpoints);

    public Task ServeAsync(FrontendKind kind, string address, ushort port, params IEnumerable<string> endpoints) => _backend.SyncAsync(
        new PlanChanges
        {
            Node = Plans.Node(IpFamily.IPv4),
            Updated =
            [
                new ServicePortPlan
                {
                    Name = new ServicePortName(new NamespacedName("default", "relayed"), "", Protocol.Tcp),
                    Family = IpFamily.IPv4,
                    Frontends =
                    [
                        new Frontend
                        {
                            Key = new FrontendKey(IpAddr.Parse(address), Protocol.Tcp, port),
                            Kind = kind,
                            Destination = Destination.ClusterEndpoints,
                        },
                    ],
                    ClusterEndpoints = [.. endpoints.Select(Endpoint)],
                },
            ],
        },
        TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _backend.DisposeAsync();
        await _connection.DisposeAsync();
        _meters.Dispose();
    }

    private static IpEndpoint Endpoint(string text)
    {
        var parsed = System.Net.IPEndPoint.Parse(text);
        return new IpEndpoint(IpAddr.From(parsed.Address), (ushort)parsed.Port);
    }
}
