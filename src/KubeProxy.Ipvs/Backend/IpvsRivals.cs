using System.Globalization;
using KubeProxy.Core.Health;
using KubeProxy.Netfilter.Rtnetlink;

namespace KubeProxy.Ipvs.Backend;

/// <summary>
/// Finds what a kube-proxy in ipvs mode left or writes, by its interface: the addresses on it make the node answer for Services itself,
/// also for those that are gone.
/// </summary>
/// <param name="connect">Opens the connection to the kernel; once for each search.</param>
public sealed class IpvsRivals(Func<IRouteClient> connect) : IRivalSearch
{
    /// <inheritdoc/>
    /// <exception cref="Netlink.NetlinkException">The kernel refused to tell what there is.</exception>
    public async Task<IReadOnlyList<Rival>> SearchAsync(CancellationToken cancellationToken)
    {
        using var routes = connect();
        var link = (await routes.ListLinksAsync(cancellationToken)).FirstOrDefault(link => link.Name == VirtualInterface.Name);
        if (link is null) return [];
        var count = (await routes.ListAddressesAsync(cancellationToken: cancellationToken)).Count(address => address.InterfaceIndex == link.Index);
        return
        [
            new Rival(
                "virtual services of a kube-proxy in ipvs mode",
                string.Create(CultureInfo.InvariantCulture, $"interface {link.Name} with {count} addresses"), CanWin: count > 0,
                "Stop that kube-proxy, then restart this one: it removes what other modes left at its start."),
        ];
    }
}
