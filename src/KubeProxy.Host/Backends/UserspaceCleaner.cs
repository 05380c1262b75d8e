using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Userspace;
using KubeProxy.Netfilter.Rtnetlink;

namespace KubeProxy.Host.Backends;

/// <summary>Removes the routing of the userspace backend; its table goes with its process.</summary>
/// <param name="connect">Opens the connection to the kernel.</param>
internal sealed class UserspaceCleaner(Func<IRouteClient> connect) : IRuleCleaner
{
    public string Subject => "userspace";

    public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
    {
        using var routes = connect();
        var removed = new List<string>();
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            if (await UserspaceCleanup.RunAsync(routes, family, cancellationToken))
                removed.Add($"{(family == IpFamily.IPv4 ? "ip" : "ip -6")} rule and route of the relay");
        }

        return removed;
    }
}
