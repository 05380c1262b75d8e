using KubeProxy.Core.Model;

namespace KubeProxy.Ipvs;

/// <summary>
/// IPVS of one network namespace. Implemented by <c>IpvsClient</c> and, for tests, by <c>InMemoryIpvs</c>. All requests fail with
/// <see cref="Netlink.NetlinkException"/> when the kernel refuses them. The synchronisation daemon is left alone.
/// </summary>
public interface IIpvs : IDisposable
{
    /// <summary>Reads the version.</summary>
    Task<IpvsInfo> GetInfoAsync(CancellationToken cancellationToken = default);

    /// <summary>The virtual services of a family, by address and by mark; of both families for null.</summary>
    Task<IReadOnlyList<VirtualServiceState>> ListServicesAsync(IpFamily? family = null, CancellationToken cancellationToken = default);

    /// <summary>A virtual service; null when there is none.</summary>
    Task<VirtualServiceState?> FindServiceAsync(VirtualServiceKey key, CancellationToken cancellationToken = default);

    /// <summary>The destinations of a virtual service; empty when there is no such service.</summary>
    Task<IReadOnlyList<DestinationState>> ListDestinationsAsync(VirtualServiceKey key, CancellationToken cancellationToken = default);

    /// <summary>
    /// Does the operations one after the other. There is no transaction: what one refusal leaves undone, the others do. Costs a
    /// system call for some dozens of operations.
    /// </summary>
    /// <returns>The refused ones, in order.</returns>
    /// <exception cref="Netlink.NetlinkOverrunException">The outcome of some is unknown.</exception>
    Task<IReadOnlyList<IpvsRefusal>> ApplyAsync(IReadOnlyList<IpvsOperation> operations, CancellationToken cancellationToken = default);

    /// <summary>Reads how long connections are remembered.</summary>
    Task<IpvsTimeouts> GetTimeoutsAsync(CancellationToken cancellationToken = default);

    /// <summary>Changes how long connections are remembered; a timeout of zero is left as it is.</summary>
    Task SetTimeoutsAsync(IpvsTimeouts timeouts, CancellationToken cancellationToken = default);

    /// <summary>Sets the counters of a virtual service and its destinations to zero; those of all for null.</summary>
    Task ZeroAsync(VirtualServiceKey? key = null, CancellationToken cancellationToken = default);

    /// <summary>Deletes all virtual services of the namespace, whoever made them.</summary>
    Task FlushAsync(CancellationToken cancellationToken = default);
}

/// <summary>Single operations, which throw when they are refused.</summary>
public static class IpvsExtensions
{
    /// <summary>Does one operation.</summary>
    /// <exception cref="Netlink.NetlinkException">The kernel refused it.</exception>
    public static async Task ApplyAsync(this IIpvs ipvs, IpvsOperation operation, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ipvs);
        var refusals = await ipvs.ApplyAsync([operation], cancellationToken);
        if (refusals.Count > 0) throw refusals[0].Error;
    }
}
