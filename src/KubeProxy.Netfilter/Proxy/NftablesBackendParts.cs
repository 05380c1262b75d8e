using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Proxy.Nftables;
using KubeProxy.Netfilter.Route;

namespace KubeProxy.Netfilter.Proxy;

/// <summary>What the nftables backend reaches the kernel with.</summary>
public sealed class NftablesBackendParts : NetfilterParts
{
    /// <summary>Tells of foreign changes that may keep packets of services from being forwarded; see <see cref="ForwardAccepts"/>.</summary>
    internal IForeignChanges ForwardChanges { get; init; } = new NoForeignChanges();

    /// <summary>Opens the sockets for one family in the network namespace of the calling thread.</summary>
    /// <param name="connection">Shared by all families; must outlive the backends.</param>
    /// <param name="family">The family.</param>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel has no nfnetlink or no rtnetlink.</exception>
    public static NftablesBackendParts Open(NftablesConnection connection, IpFamily family)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new NftablesBackendParts
        {
            Nftables = connection.Client,
            ForeignChanges = connection.Watch(RuleParts.TableOf(family)),
            ForwardChanges = connection.Watch(change => ForwardAccepts.Concerns(change, family)),
            Conntrack = ConntrackClient.Open(),
            Routes = RouteClient.Open(),
        };
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await ForwardChanges.DisposeAsync();
        await base.DisposeAsync();
    }
}
