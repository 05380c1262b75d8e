using System.Diagnostics.Metrics;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Rtnetlink;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>What the nftables backend reaches the kernel with.</summary>
public sealed class NftablesBackendParts : NetfilterParts
{
    // As upstream's, for each endpoint that is tried.
    private static readonly TimeSpan LocalhostDialTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Tells of foreign changes that may keep packets of services from being forwarded; see <see cref="ForwardAccepts"/>.</summary>
    internal IForeignChanges ForwardChanges { get; init; } = new NoForeignChanges();

    /// <summary>Another connection to nf_tables, for what takes long and may not hold up changes; null to do without that. Disposed with the backend.</summary>
    internal INftables? Beside { get; init; }

    /// <summary>Listens for node ports on the loopback address; null where that is not wanted.</summary>
    internal LocalhostRelay? Localhost { get; init; }

    /// <summary>Makes the meters <c>KubeProxy.Nftables</c> and <c>KubeProxy.Relay</c>; null for ones that are only found by listeners of all meters.</summary>
    public IMeterFactory? Meters { get; init; }

    /// <summary>Opens the sockets for one family in the network namespace of the calling thread.</summary>
    /// <param name="connection">Shared by all families; must outlive the backends.</param>
    /// <param name="family">The family.</param>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel has no nfnetlink or no rtnetlink.</exception>
    public static NftablesBackendParts Open(NftablesConnection connection, IpFamily family) => Open(connection, family, null, null);

    /// <summary>
    /// The same with what <see cref="NftablesBackendOptions.LocalhostNodePorts"/> needs to serve TCP: a relay, which is started.
    /// </summary>
    /// <param name="connection">Shared by all families; must outlive the backends.</param>
    /// <param name="family">The family.</param>
    /// <param name="loggers">Makes the logger of the relay.</param>
    /// <param name="meters">See <see cref="Meters"/>.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel has no nfnetlink or no rtnetlink.</exception>
    /// <exception cref="ProxyBackendException">There are no descriptors left for the relay.</exception>
    public static NftablesBackendParts OpenWithLocalhost(
        NftablesConnection connection, IpFamily family, ILoggerFactory loggers, IMeterFactory? meters = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(loggers);
        var options = RelayOptions.ForThisProcess(family) with
        {
            Transparent = false, Threads = 1, DialTimeout = LocalhostDialTimeout, LastDialTimeout = LocalhostDialTimeout,
        };
        var clock = time ?? TimeProvider.System;
        var table = new RelayTable(clock, options.MaxAffinityClients);
        var context = new RelayContext(options, table, new RelayMetrics(meters, family), clock, loggers.CreateLogger<LocalhostRelay>());
        LocalhostRelay? relay = null;
        try
        {
            relay = new LocalhostRelay(context);
            relay.Start();
            return Open(connection, family, relay, meters);
        }
        catch (RelayException e)
        {
            context.Metrics.Dispose();
            throw new ProxyBackendException($"nftables ({family}): {e.Message}", e);
        }
        catch
        {
            relay?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        Localhost?.Dispose();
        await ForwardChanges.DisposeAsync();
        await base.DisposeAsync();
    }

    private static NftablesBackendParts Open(NftablesConnection connection, IpFamily family, LocalhostRelay? localhost, IMeterFactory? meters)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new NftablesBackendParts
        {
            Nftables = connection.Client,
            Beside = NftablesClient.Open(),
            ForeignChanges = connection.Watch(RuleParts.TableOf(family)),
            ForwardChanges = connection.Watch(change => ForwardAccepts.Concerns(change, family)),
            Conntrack = ConntrackClient.Open(),
            Routes = RouteClient.Open(),
            Localhost = localhost,
            Meters = meters,
        };
    }
}
