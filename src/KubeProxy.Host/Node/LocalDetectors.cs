using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Node;

/// <summary>How pods are recognised, by the configuration.</summary>
internal static class LocalDetectors
{
    /// <summary>The detector of a family; null when the configuration has nothing for it.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="family">The family.</param>
    /// <param name="podCidrs">The Node object's <c>spec.podCIDRs</c>, for mode NodeCIDR.</param>
    public static LocalTrafficDetector? For(EffectiveConfiguration configuration, IpFamily family, IReadOnlyList<string> podCidrs)
    {
        var source = configuration.Source;
        return source.DetectLocalMode switch
        {
            DetectLocalMode.ClusterCidr => BySource(configuration.ClusterCidr(family)),
            DetectLocalMode.NodeCidr => BySource(FirstOf(podCidrs, family)),
            DetectLocalMode.BridgeInterface => new LocalTrafficDetector.Bridge(source.DetectLocal.BridgeInterface),
            DetectLocalMode.InterfaceNamePrefix => new LocalTrafficDetector.InterfacePrefix(source.DetectLocal.InterfaceNamePrefix),
            _ => null,
        };
    }

    private static LocalTrafficDetector.Source? BySource(Cidr? cidr) => cidr is { } block ? new LocalTrafficDetector.Source(block) : null;

    private static Cidr? FirstOf(IReadOnlyList<string> cidrs, IpFamily family)
    {
        foreach (var text in cidrs)
            if (Cidr.TryParse(text, out var cidr) && cidr.Family == family) return cidr;
        return null;
    }
}
