using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netlink;

namespace KubeProxy.Ipvs.Backend;

/// <summary>Reads the virtual services of one family with their destinations.</summary>
internal sealed class KernelReader(IIpvs ipvs, IpvsBalancerOptions options)
{
    // For documentation (RFC 5737, RFC 3849), so nobody has a service there.
    private static readonly IpAddr Trial4 = IpAddr.Parse("198.51.100.0");
    private static readonly IpAddr Trial6 = IpAddr.Parse("2001:db8::");

    /// <summary>All virtual services by address. Those by mark are never ours.</summary>
    public async Task<IReadOnlyList<VirtualServer>> ReadAsync(CancellationToken cancellationToken)
    {
        List<VirtualServer> servers = [];
        foreach (var (service, _) in await ipvs.ListServicesAsync(options.Family, cancellationToken))
        {
            if (service.Key.Address is null) continue;
            servers.Add(VirtualServer.Observed(service, await ipvs.ListDestinationsAsync(service.Key, cancellationToken)));
        }

        return servers;
    }

    /// <summary>One virtual service; null when there is none.</summary>
    public async Task<VirtualServer?> ReadAsync(VirtualServiceKey key, CancellationToken cancellationToken) =>
        await ipvs.FindServiceAsync(key, cancellationToken) is { } found
            ? VirtualServer.Observed(found.Service, await ipvs.ListDestinationsAsync(key, cancellationToken))
            : null;

    /// <summary>Whether the configuration says that the virtual service is somebody else's.</summary>
    public bool IsExcluded(VirtualServiceKey key) => key.Address is { } address && options.ExcludedBlocks.Any(block => block.Contains(address));

    /// <summary>Finds out whether the kernel has the scheduler, which it loads when it is asked for.</summary>
    /// <param name="isInUse">Whether a virtual service that is there uses it: then it has.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProxyBackendException">It has not.</exception>
    public async Task CheckSchedulerAsync(bool isInUse, CancellationToken cancellationToken)
    {
        if (isInUse) return;
        var key = new VirtualServiceKey(options.Family == IpFamily.IPv4 ? Trial4 : Trial6, Protocol.Tcp, 20000);
        try
        {
            await ipvs.ApplyAsync(new IpvsOperation.AddService(new VirtualService { Key = key, Scheduler = options.Scheduler }), cancellationToken);
            await ipvs.ApplyAsync(new IpvsOperation.DeleteService(key), cancellationToken);
        }
        catch (NetlinkException e) when (e.Errno == Errno.NoSuchEntry)
        {
            throw new ProxyBackendException($"IPVS: the kernel has no scheduler '{options.Scheduler}' (ipvs.scheduler; module ip_vs_{options.Scheduler}, not loaded or not built) ({e.Message})", e);
        }
        catch (NetlinkException e)
        {
            throw new ProxyBackendException(NetlinkPreflight.Explain(e, "IPVS", "CONFIG_IP_VS", "ip_vs"), e);
        }
    }
}
