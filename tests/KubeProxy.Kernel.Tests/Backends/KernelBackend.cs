using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Tests.Backends;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>A backend of one family in this process, over sockets in a namespace.</summary>
internal sealed class KernelBackend : IAsyncDisposable
{
    private readonly NftablesConnection _connection;

    private KernelBackend(NftablesConnection connection, NftablesBackend backend) => (_connection, Backend) = (connection, backend);

    public NftablesBackend Backend { get; }

    /// <summary>What its client sent.</summary>
    public NetlinkCounters Sent => _connection.Client.Counters;

    /// <summary>Makes a backend that is not started.</summary>
    /// <param name="ns">The namespace.</param>
    /// <param name="family">The family.</param>
    /// <param name="wire">Put between the client and its socket.</param>
    public static KernelBackend Create(NetworkNamespace ns, IpFamily family = IpFamily.IPv4, Func<INetlinkTransport, INetlinkTransport>? wire = null) => ns.Run(() =>
    {
        var socket = NetlinkSocket.Open(NetlinkProtocol.Netfilter);
        var client = new NftablesClient(new NetlinkChannel(wire?.Invoke(socket) ?? socket));
        var connection = new NftablesConnection(client, NftMonitor.Open(client.PortId));
        var options = new NftablesBackendOptions { Family = family, Masquerade = Plans.Policy(family) };
        return new KernelBackend(connection, new NftablesBackend(options, NftablesBackendParts.Open(connection, family), NullLogger<NftablesBackend>.Instance));
    });

    /// <inheritdoc cref="Create"/>
    public static async Task<KernelBackend> StartAsync(NetworkNamespace ns, IpFamily family = IpFamily.IPv4, Func<INetlinkTransport, INetlinkTransport>? wire = null)
    {
        var backend = Create(ns, family, wire);
        await backend.StartAsync(ns);
        return backend;
    }

    /// <summary>Starts it; subscriptions are opened in the namespace.</summary>
    public Task StartAsync(NetworkNamespace ns) => ns.Run(() => Backend.StartAsync(_ => { }, TestContext.Current.CancellationToken));

    public Task<SyncResult> FirstSyncAsync(params IReadOnlyList<ServicePortPlan> plans) =>
        SyncAsync(new PlanChanges { Node = Plans.Node(Backend.Family), Updated = plans });

    public Task<SyncResult> SyncAsync(params IReadOnlyList<ServicePortPlan> plans) => SyncAsync(new PlanChanges { Updated = plans });

    public Task<SyncResult> SyncAsync(PlanChanges changes) => Backend.SyncAsync(changes, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Backend.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
