using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Route;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Proxy.Userspace;

/// <summary>
/// Has packets with the mark routed to this host, whatever their destination. Without marked packets it has no effect, so it
/// does no harm when it outlives the process.
/// </summary>
internal sealed class LocalRouting(IRouteClient routes, IpFamily family)
{
    /// <summary>The routing table: the letters "kp".</summary>
    public const uint Table = 0x6B70;

    // After the table local (0), before those of network plugins, which begin at about 100 and at 512.
    private const uint Priority = 60;

    /// <summary>Adds what is missing.</summary>
    public async Task EnsureAsync(uint mark, CancellationToken cancellationToken)
    {
        await Ignoring(Errno.Exists, () => routes.AddLocalDefaultAsync(family, Table, cancellationToken));
        await Ignoring(Errno.Exists, () => routes.AddRuleAsync(new PolicyRule(family, mark, mark, Table, Priority), cancellationToken));
    }

    /// <summary>Removes what is there, whatever the mark was.</summary>
    /// <returns>Whether there was anything.</returns>
    public async Task<bool> RemoveAsync(CancellationToken cancellationToken)
    {
        var hadRule = await Ignoring(Errno.NoSuchEntry, () => routes.DeleteRuleAsync(new PolicyRule(family, 0, 0, Table, Priority), cancellationToken));
        var hadRoute = await Ignoring(Errno.NoSuchProcess, () => routes.DeleteLocalDefaultAsync(family, Table, cancellationToken));
        return hadRule || hadRoute;
    }

    private static async Task<bool> Ignoring(int errno, Func<Task> action)
    {
        try
        {
            await action();
            return true;
        }
        catch (NetlinkException e) when (e.Errno == errno)
        {
            return false;
        }
    }
}
