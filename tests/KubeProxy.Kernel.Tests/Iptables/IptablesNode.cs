using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Tests.Backends;
using KubeProxy.Netlink;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Kernel.Tests.Iptables;

/// <summary>A network namespace with an iptables backend in it; the real tools are the witnesses.</summary>
internal sealed class IptablesNode : IAsyncDisposable
{
    private readonly NftablesConnection _connection;
    private readonly IpFamily _family;
    private readonly DirectoryInfo _proc = Directory.CreateTempSubdirectory("kube-proxy-proc");
    private readonly bool _ownsNamespace;
    private readonly MasqueradePolicy _masquerade;

    /// <param name="ns">The namespace.</param>
    /// <param name="family">The family.</param>
    /// <param name="ownsNamespace">Whether the namespace is deleted with this.</param>
    /// <param name="wire">Put between the client and its socket.</param>
    /// <param name="masquerade">By default that of <see cref="Plans"/>.</param>
    public IptablesNode(
        NetworkNamespace ns, IpFamily family = IpFamily.IPv4, bool ownsNamespace = true, Func<INetlinkTransport, INetlinkTransport>? wire = null,
        MasqueradePolicy? masquerade = null)
    {
        _masquerade = masquerade ?? Plans.Policy(family);
        (Namespace, _family, _ownsNamespace) = (ns, family, ownsNamespace);
        _connection = ns.Run(() =>
        {
            var socket = NetlinkSocket.Open(NetlinkProtocol.Netfilter);
            var client = new NftablesClient(new NetlinkChannel(wire?.Invoke(socket) ?? socket));
            return new NftablesConnection(client, NftMonitor.Open(client.PortId));
        });
        Client = new IptablesClient(_connection.Client, family);
        Directory.CreateDirectory(Path.Combine(_proc.FullName, "proc/sys/net/ipv4/conf/all"));
        File.WriteAllText(Path.Combine(_proc.FullName, "proc/sys/net/ipv4/conf/all/route_localnet"), "0\n");
        Backend = NewBackend();
    }

    public NetworkNamespace Namespace { get; }

    public NftablesConnection Connection => _connection;

    public IptablesClient Client { get; }

    public IptablesBackend Backend { get; private set; }

    /// <summary>Skips the test where the tools are missing.</summary>
    public static NetworkNamespace CreateNamespace()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/iptables-nft"), "needs iptables-nft");
        return NetworkNamespace.Create();
    }

    public Task StartAsync(Action<string>? requestSync = null) => Backend.StartAsync(requestSync ?? (_ => { }), TestContext.Current.CancellationToken);

    public async Task RestartAsync()
    {
        await Backend.DisposeAsync();
        Backend = NewBackend();
        await StartAsync();
    }

    public Task<SyncResult> SyncAsync(PlanChanges changes) => Backend.SyncAsync(changes, TestContext.Current.CancellationToken);

    public Task<SyncResult> FirstSyncAsync(params IReadOnlyList<ServicePortPlan> plans) =>
        SyncAsync(new PlanChanges { Node = Plans.Node(_family), Updated = plans });

    /// <summary>The real tool of the family: <c>iptables-nft</c>, and with a suffix those that come with it.</summary>
    public string Tool(string suffix = "") => (_family == IpFamily.IPv4 ? "iptables-nft" : "ip6tables-nft") + suffix;

    /// <summary>The lines of a table, by the real tool: chains and rules, without counters.</summary>
    public string[] Save(IptablesTable table)
    {
        var text = Namespace.Exec(Tool("-save"), "-t", table.NftName());
        return [.. text.Split('\n').Where(line => line.StartsWith("-A ", StringComparison.Ordinal))];
    }

    /// <summary>The same by our client.</summary>
    public async Task<string[]> OwnSaveAsync(IptablesTable table)
    {
        var text = await Client.SaveAsync(table, TestContext.Current.CancellationToken);
        return [.. text.Split('\n').Where(line => line.StartsWith("-A ", StringComparison.Ordinal))];
    }

    public async ValueTask DisposeAsync()
    {
        await Backend.DisposeAsync();
        await _connection.DisposeAsync();
        if (_ownsNamespace) Namespace.Dispose();
        _proc.Delete(recursive: true);
    }

    private IptablesBackend NewBackend()
    {
        var parts = Namespace.Run(() => IptablesBackendParts.Open(_connection, _family, new KernelSettings(_proc.FullName)));
        var options = new IptablesBackendOptions
        {
            Family = _family,
            Masquerade = _masquerade,
        };
        return new IptablesBackend(options, parts, NullLogger<IptablesBackend>.Instance);
    }
}
