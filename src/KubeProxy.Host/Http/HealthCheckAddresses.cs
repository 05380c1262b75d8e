using System.Net;
using KubeProxy.Core.Model;
using KubeProxy.Host.Node;

namespace KubeProxy.Host.Http;

/// <summary>Where health check node ports listen.</summary>
internal static class HealthCheckAddresses
{
    /// <summary>The addresses of a family; ports are 0.</summary>
    /// <param name="family">The family.</param>
    /// <param name="blocks">Where node ports are open; empty for everywhere.</param>
    /// <param name="interfaceAddresses">The node's addresses; when none is in a block, everywhere.</param>
    public static IReadOnlyList<ListenAddress> Of(IpFamily family, IReadOnlyList<Cidr> blocks, IReadOnlyList<IpAddr> interfaceAddresses)
    {
        var chosen = interfaceAddresses
            .Where(address => address.Family == family && blocks.Any(block => block.Contains(address)))
            .Distinct().Select(address => new ListenAddress(address.ToIPAddress(), 0)).ToList();
        if (chosen.Count > 0) return chosen;
        return [new ListenAddress(family == IpFamily.IPv4 ? IPAddress.Any : IPAddress.IPv6Any, 0)];
    }
}
