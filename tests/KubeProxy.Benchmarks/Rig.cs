using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Ipvs;
using KubeProxy.Ipvs.Backend;
using KubeProxy.Netfilter.Backends.Balanced;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Benchmarks;

/// <summary>The whole path from objects to the kernel of this network namespace, for IPv4.</summary>
internal sealed class Rig : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly NftablesConnection _connection;
    private readonly BinaryWriter? _recording;
    private readonly IpvsClient? _ipvs;
    private readonly RouteClient? _routes;
    private readonly IProxyBackend _backend;
    private readonly BackendMode _mode;
    private readonly ProxyEngine _engine;
    private Task _running = Task.CompletedTask;

    /// <param name="recording">Where to write what is sent to the kernel; null for nowhere.</param>
    /// <param name="mode">The backend.</param>
    /// <param name="listen">Whether to watch for foreign changes, as in real life; a recording does not, to send the same every time.</param>
    public Rig(BinaryWriter? recording, BackendMode mode, bool listen)
    {
        (_recording, _mode) = (recording, mode);
        var client = new NftablesClient(Channel(NetlinkProtocol.Netfilter));
        _connection = new NftablesConnection(client, listen ? NftMonitor.Open(client.PortId) : null);
        var masquerade = new MasqueradePolicy { LocalDetector = new LocalTrafficDetector.Source(Cidr.Parse("11.0.0.0/8")) };
        if (mode == BackendMode.Ipvs)
        {
            _ipvs = new IpvsClient(Channel(NetlinkProtocol.Generic));
            _routes = new RouteClient(Channel(NetlinkProtocol.Route), () => NetlinkSocket.Open(NetlinkProtocol.Route));
        }

        _backend = mode switch
        {
            BackendMode.Iptables => new IptablesBackend(
                new IptablesBackendOptions { Family = IpFamily.IPv4, Masquerade = masquerade, LocalhostNodePorts = false },
                IptablesBackendParts.Open(_connection, IpFamily.IPv4),
                NullLogger<IptablesBackend>.Instance),
            BackendMode.Ipvs => new BalancedBackend(
                new BalancedBackendOptions { Mode = "ipvs", Family = IpFamily.IPv4, Masquerade = masquerade },
                NftablesBackendParts.Open(_connection, IpFamily.IPv4),
                new IpvsBalancer(
                    // Not amid other measurements: it reads what a restart reads.
                    new IpvsBalancerOptions { Family = IpFamily.IPv4, PollPeriod = TimeSpan.FromHours(1) },
                    new IpvsBalancerParts { Ipvs = _ipvs!, Routes = _routes! },
                    NullLogger<IpvsBalancer>.Instance),
                NullLogger<BalancedBackend>.Instance),
            _ => new NftablesBackend(
                new NftablesBackendOptions { Family = IpFamily.IPv4, Masquerade = masquerade },
                NftablesBackendParts.Open(_connection, IpFamily.IPv4),
                NullLogger<NftablesBackend>.Instance),
        };
        _engine = new ProxyEngine(new ProxyOptions { NodeName = Cluster.Node }, [_backend]);
    }

    /// <summary>What was sent to nf_tables and to IPVS.</summary>
    public NetlinkCounters Counters
    {
        get
        {
            var (rules, balancer) = (_connection.Client.Counters, _ipvs?.Counters ?? default);
            return new NetlinkCounters(
                rules.Datagrams + balancer.Datagrams, rules.Messages + balancer.Messages, rules.Bytes + balancer.Bytes, rules.WriteMessages + balancer.WriteMessages);
        }
    }

    /// <summary>Delivers the whole cluster. Nothing is planned or programmed yet.</summary>
    public void Deliver(int services)
    {
        for (var i = 0; i < services; i++)
        {
            _engine.Upsert(Cluster.Service(i, _mode));
            _engine.Upsert(Cluster.Slice(i));
        }

        // As the host does: what reading took is none of the first sync's.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
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

    /// <summary>Stops, and leaves nothing.</summary>
    public async Task DeleteAllAsync()
    {
        await StopAsync();
        if (_ipvs is not null) await IpvsCleanup.RunAsync(_ipvs, _routes!, []);
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

    private NetlinkChannel Channel(NetlinkProtocol protocol)
    {
        INetlinkTransport socket = NetlinkSocket.Open(protocol);
        return new NetlinkChannel(_recording is null ? socket : new RecordingTransport(socket, protocol, _recording));
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
