using System.Diagnostics.Metrics;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Rtnetlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>What the userspace backend reaches the kernel with, and its relay.</summary>
public sealed class UserspaceBackendParts : NetfilterParts
{
    private readonly RelayServer? _relay;
    private ConntrackClient? _relayConntrack;

    internal UserspaceBackendParts(RelayTable table, RelayServer relay) : this(table, relay.PortOf, relay) { }

    private UserspaceBackendParts(RelayTable table, Func<RelayInlet, ushort> ports, RelayServer? relay) => (Table, Ports, _relay) = (table, ports, relay);

    /// <summary>Where the relay looks frontends up.</summary>
    internal RelayTable Table { get; }

    /// <summary>Where the relay listens.</summary>
    internal Func<RelayInlet, ushort> Ports { get; }

    /// <summary>Whether the table that is there is taken for one that these parts made, whoever owns it.</summary>
    internal bool OwnsTable { get; private init; }

    /// <summary>Where the kernel says what packets on bridges do.</summary>
    public KernelSettings Kernel { get; init; } = new();

    /// <summary>Opens the sockets for one family, and starts the relay, in the network namespace of the calling thread.</summary>
    /// <param name="connection">Shared by all families; must outlive the backends, and owns the tables that they make.</param>
    /// <param name="relay">How the relay works; the family is that of the backend.</param>
    /// <param name="loggers">Makes the logger of the relay.</param>
    /// <param name="meters">Makes the relay's meter, <c>KubeProxy.Relay</c>; null for a meter of its own.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel has no nfnetlink or no rtnetlink.</exception>
    /// <exception cref="ProxyBackendException">A socket of the relay cannot be opened.</exception>
    public static UserspaceBackendParts Open(
        NftablesConnection connection, RelayOptions relay, ILoggerFactory loggers, IMeterFactory? meters = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(relay);
        var (clock, table) = (time ?? TimeProvider.System, new RelayTable(time ?? TimeProvider.System, relay.MaxAffinityClients));
        var conntrack = ConntrackClient.Open();
        var context = new RelayContext(
            relay, table, new RelayMetrics(meters, relay.Family), clock, loggers.CreateLogger<RelayServer>(), new OriginalDestinations(conntrack));
        var server = StartRelay(context);
        return new UserspaceBackendParts(table, server)
        {
            Nftables = connection.Client,
            ForeignChanges = connection.Watch(RuleParts.TableOf(relay.Family)),
            Conntrack = ConntrackClient.Open(),
            Routes = RouteClient.Open(),
            Time = clock,
            _relayConntrack = conntrack,
        };
    }

    /// <summary>For a dry run: nothing is relayed.</summary>
    /// <param name="nftables">Notes the rules.</param>
    /// <param name="routes">Notes the routes.</param>
    /// <param name="like">A backend at work whose ports rules lead to, and whose table is the one that is there; null for none, and ports from 1 on.</param>
    public static UserspaceBackendParts DryRun(DryRunNftables nftables, DryRunRoute routes, UserspaceBackend? like = null) =>
        new(new RelayTable(TimeProvider.System, 1), like?.Ports ?? (inlet => (ushort)(1 + RelayInlet.All.IndexOf(inlet))), null)
        {
            Nftables = nftables, Routes = routes, Conntrack = new DryRunConntrack(), OwnsTable = like is not null,
            Kernel = like?.Kernel ?? KernelSettings.None,
        };

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _relay?.Dispose();
        _relayConntrack?.Dispose();
        return base.DisposeAsync();
    }

    private static RelayServer StartRelay(RelayContext context)
    {
        try
        {
            var server = new RelayServer(context);
            server.Start();
            return server;
        }
        catch (RelayException e)
        {
            context.Metrics.Dispose();
            var hint = e.Errno == Netlink.Errno.OperationNotPermitted ? " This needs CAP_NET_ADMIN in the network namespace." : "";
            throw new ProxyBackendException($"userspace ({context.Options.Family}): {e.Message}{hint}", e);
        }
    }
}
