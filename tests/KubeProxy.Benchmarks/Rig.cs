using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Proxy;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Benchmarks;

/// <summary>The whole path from objects to the kernel of this network namespace, for IPv4.</summary>
internal sealed class Rig : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly NftablesConnection _connection;
    private readonly IProxyBackend _backend;
    private readonly ProxyEngine _engine;
    private Task _running = Task.CompletedTask;

    /// <param name="recording">Where to write what is sent to nf_tables; null for nowhere.</param>
    /// <param name="iptables">The iptables backend instead of the nftables one.</param>
    /// <param name="listen">Whether to watch for foreign changes, as in real life; a recording does not, to send the same every time.</param>
    public Rig(BinaryWriter? recording, bool iptables, bool listen)
    {
        INetlinkTransport socket = NetlinkSocket.Open(NetlinkProtocol.Netfilter);
        var client = new NftablesClient(new NetlinkChannel(recording is null ? socket : new RecordingTransport(socket, recording)));
        _connection = new NftablesConnection(client, listen ? NftMonitor.Open(client.PortId) : null);
        var masquerade = new MasqueradePolicy { LocalDetector = new LocalTrafficDetector.Source(Cidr.Parse("11.0.0.0/8")) };
        _backend = iptables
            ? new IptablesBackend(
                new IptablesBackendOptions { Family = IpFamily.IPv4, Masquerade = masquerade, LocalhostNodePorts = false },
                IptablesBackendParts.Open(_connection, IpFamily.IPv4),
                NullLogger<IptablesBackend>.Instance)
            : new NftablesBackend(
                new NftablesBackendOptions { Family = IpFamily.IPv4, Masquerade = masquerade },
                NftablesBackendParts.Open(_connection, IpFamily.IPv4),
                NullLogger<NftablesBackend>.Instance);
        _engine = new ProxyEngine(new ProxyOptions { NodeName = Cluster.Node }, [_backend]);
    }

    public NetlinkCounters Counters => _connection.Client.Counters;

    /// <summary>Delivers the whole cluster. Nothing is planned or programmed yet.</summary>
    public void Deliver(int services)
    {
        for (var i = 0; i < services; i++)
        {
            _engine.Upsert(Cluster.Service(i));
            _engine.Upsert(Cluster.Slice(i));
        }

        foreach (var kind in ObjectKinds.All) _engine.MarkSynced(kind);
    }

    /// <summary>Plans and programs what was delivered, and waits until it is in the kernel.</summary>
    public async Task StartAsync()
    {
        _running = _engine.RunAsync(_stop.Token);
        await WaitAsync();
    }

    /// <summary>Delivers one object and waits until it is in the kernel.</summary>
    public Task ApplyAsync(KubernetesObject value)
    {
        _engine.Upsert(value);
        return WaitAsync();
    }

    /// <summary>Removes one object and waits until it is gone from the kernel.</summary>
    public Task RemoveAsync(KubernetesObject value)
    {
        _engine.Delete(value.Kind, value.Name);
        return WaitAsync();
    }

    /// <summary>Stops, and leaves an empty ruleset.</summary>
    public async Task DeleteTablesAsync()
    {
        await StopAsync();
        var transaction = new NftTransaction();
        foreach (var table in await _connection.Client.ListTablesAsync()) transaction.Delete(table.Key);
        await _connection.Client.CommitAsync(transaction);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _backend.DisposeAsync();
        await _connection.DisposeAsync();
        _engine.Dispose();
        _stop.Dispose();
    }

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WaitAsync()
    {
        var synced = _engine.WaitForSyncAsync(CancellationToken.None);
        if (await Task.WhenAny(synced, _running) == _running && _running.IsFaulted) await _running;
        await synced;
    }
}
