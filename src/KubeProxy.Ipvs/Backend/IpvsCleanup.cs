using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netlink;

namespace KubeProxy.Ipvs.Backend;

/// <summary>
/// Removes what the ipvs mode leaves, ours or upstream's: virtual services with addresses of this node, and the interface of virtual
/// addresses. Without that interface no kube-proxy was here in that mode, and nothing is touched.
/// </summary>
public static class IpvsCleanup
{
    /// <summary>Removes it.</summary>
    /// <param name="ipvs">The kernel's IPVS.</param>
    /// <param name="routes">The interfaces.</param>
    /// <param name="excluded">Virtual services with addresses in here stay.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was removed, one text each.</returns>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public static async Task<IReadOnlyList<string>> RunAsync(
        IIpvs ipvs, IRouteClient routes, IReadOnlyCollection<Cidr> excluded, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ipvs);
        ArgumentNullException.ThrowIfNull(routes);
        ArgumentNullException.ThrowIfNull(excluded);
        var link = (await routes.ListLinksAsync(cancellationToken)).FirstOrDefault(link => link.Name == VirtualInterface.Name);
        if (link is null) return [];
        var local = (await routes.ListAddressesAsync(cancellationToken: cancellationToken)).Select(address => address.Address).ToHashSet();
        List<IpvsOperation> deletions = [];
        foreach (var (service, _) in await ListAsync(ipvs, cancellationToken))
        {
            if (service.Key.Address is { } address && local.Contains(address) && !excluded.Any(block => block.Contains(address)))
                deletions.Add(new IpvsOperation.DeleteService(service.Key));
        }

        // Somebody else may have been faster.
        var refusals = await ipvs.ApplyAsync(deletions, cancellationToken);
        if (refusals.FirstOrDefault(refusal => refusal.Error.Errno != Errno.NoSuchProcess) is { Error: { } error }) throw error;
        await routes.DeleteLinkAsync(link.Index, cancellationToken);
        return [.. deletions.Select(deletion => $"virtual service {deletion.Service}"), $"interface {link.Name}"];
    }

    /// <summary>Whether a kube-proxy was here in that mode, ours or upstream's, so that there is something to remove.</summary>
    /// <param name="connect">Opens the connection to the interfaces.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NetlinkException">The kernel refused to tell.</exception>
    public static async Task<bool> IsNeededAsync(Func<IRouteClient> connect, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connect);
        using var routes = connect();
        return (await routes.ListLinksAsync(cancellationToken)).Any(link => link.Name == VirtualInterface.Name);
    }

    private static async Task<IReadOnlyList<VirtualServiceState>> ListAsync(IIpvs ipvs, CancellationToken cancellationToken)
    {
        try
        {
            return await ipvs.ListServicesAsync(cancellationToken: cancellationToken);
        }
        catch (NetlinkException e) when (e.Errno == Errno.NoSuchEntry)
        {
            return []; // The kernel has no IPVS (any more).
        }
    }
}
