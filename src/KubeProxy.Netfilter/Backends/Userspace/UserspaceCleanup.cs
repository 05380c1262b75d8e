using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Rtnetlink;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>Removes what the userspace backend may leave behind: its table goes with the process, its routing does not.</summary>
public static class UserspaceCleanup
{
    /// <summary>Removes the rule and the route of the family.</summary>
    /// <param name="routes">The kernel.</param>
    /// <param name="family">The family.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether there was anything.</returns>
    /// <exception cref="KubeProxy.Netlink.NetlinkException">The kernel refused it.</exception>
    public static async Task<bool> RunAsync(IRouteClient routes, IpFamily family, CancellationToken cancellationToken)
    {
        await using var routing = new LocalRouting(routes, family);
        return await routing.RemoveAsync(cancellationToken);
    }
}
