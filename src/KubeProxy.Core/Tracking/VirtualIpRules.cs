using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Tracking;

/// <summary>Which external and load-balancer IPs a Service may have: nobody checks that when it is created.</summary>
/// <param name="ranges">Where they have to lie; empty for anywhere.</param>
/// <param name="becomeLocal">Whether they become addresses of this node, so that whoever has them cannot be reached from it any more.</param>
/// <param name="foreign">Whose addresses they must not be.</param>
internal sealed class VirtualIpRules(ImmutableArray<IpRange> ranges, bool becomeLocal, ForeignAddresses foreign)
{
    /// <summary>Looks at a frontend.</summary>
    /// <param name="frontend">The frontend.</param>
    /// <param name="problem">What is wrong with its address; null for nothing.</param>
    /// <returns>Whether it can be in force.</returns>
    public bool Allows(Frontend frontend, out string? problem)
    {
        problem = null;
        if (frontend.Kind is not (FrontendKind.ExternalIP or FrontendKind.LoadBalancerIP) || frontend.Key.Address is not { } address) return true;
        if (!ranges.IsEmpty && !ranges.Any(range => range.Contains(address)))
        {
            problem = $"{address} is outside of the ranges that external and load-balancer IPs have to lie in (--vip-ranges); it is left out";
            return false;
        }

        if (foreign.OwnerOf(address) is not { } owner) return true;
        problem = becomeLocal
            ? $"{address} is an address of {owner}, which could not be reached from this node if it were taken; it is left out"
            : $"{address} is an address of {owner}: from this node, port {frontend.Key.Port}/{frontend.Key.Protocol.ToLowerName()} of it leads to the Service and not there";
        return !becomeLocal;
    }
}
