using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Node;

/// <summary>Something in the configuration that probably is not meant so on this node.</summary>
/// <param name="Message">For an operator.</param>
/// <param name="IsFatal">Whether services could not work at all.</param>
internal readonly record struct Advice(string Message, bool IsFatal = false);

/// <summary>Compares the configuration with what is known of the node: upstream's sanity checks.</summary>
internal static class ConfigurationAdvice
{
    /// <summary>What to say about node ports and the families that seem to be in use.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="primary">The family of the node's first address.</param>
    /// <param name="podCidrs">The node's pod blocks, as far as they are known.</param>
    public static IEnumerable<Advice> OnNodePorts(EffectiveConfiguration configuration, IpFamily primary, IReadOnlyList<string> podCidrs)
    {
        var addresses = configuration.Source.NodePortAddresses;
        if (addresses.Count == 0)
        {
            yield return new("nodePortAddresses is empty: node ports are open on all addresses of this node; \"primary\" would limit them to the node's own");
            yield break;
        }

        var opened = NodePortAddresses.Parse(addresses);
        foreach (var advice in OnLoopback(configuration, opened)) yield return advice;
        if (opened.Primary) yield break; // Of each family.
        var families = opened.Blocks.Select(block => block.Family).ToHashSet();
        var isDualStack = FamiliesOf(configuration.ClusterCidrs).Distinct().Count() == 2 || FamiliesOf(podCidrs).Distinct().Count() == 2;
        if (!families.Contains(primary))
            yield return new($"nodePortAddresses has no {primary} block, although the cluster seems to be {primary} first: {primary} node ports are open on all addresses of this node");
        else if (isDualStack && families.Count == 1)
            yield return new($"nodePortAddresses has {primary} blocks only, although the cluster seems to be dual-stack: node ports of the other family are open on all addresses of this node");
    }

    /// <summary>What to say about addresses of a family that this node does not use.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="primary">The family of the node's first address, or the only one.</param>
    /// <param name="isDualStack">Whether both families are programmed.</param>
    /// <param name="podCidrs">The node's pod blocks, as far as they are known.</param>
    public static IEnumerable<Advice> OnFamilies(EffectiveConfiguration configuration, IpFamily primary, bool isDualStack, IReadOnlyList<string> podCidrs)
    {
        var source = configuration.Source;
        if (AreOther(configuration.ClusterCidrs))
            yield return new($"clusterCIDR has no {primary} block, although the node is {primary} first", !isDualStack && source.DetectLocalMode == DetectLocalMode.ClusterCidr);
        if (AreOther(podCidrs))
            yield return new($"the node's spec.podCIDRs has no {primary} block, although the node is {primary} first", !isDualStack && source.DetectLocalMode == DetectLocalMode.NodeCidr);
        if (IpAddr.TryParse(source.Winkernel.SourceVip, out var vip) && vip.Family != primary) yield return new($"winkernel.sourceVip is no {primary} address");
        if (isDualStack) yield break;
        if (AreOther(source.Ipvs.ExcludeCIDRs)) yield return new($"ipvs.excludeCIDRs has no {primary} block, the only family of this node");
        if (IsOther(source.HealthzBindAddress)) yield return new($"healthzBindAddress is no {primary} address, the only family of this node");
        if (IsOther(source.MetricsBindAddress)) yield return new($"metricsBindAddress is no {primary} address, the only family of this node");

        bool AreOther(IReadOnlyList<string> cidrs) => cidrs.Count > 0 && FamiliesOf(cidrs).All(family => family != primary);

        bool IsOther(string address) => HostPort.TryParse(address, out var parsed) && parsed.Address.Value != UInt128.Zero && parsed.Address.Family != primary;
    }

    // In iptables mode those on 127.0.0.0/8 are opened, and in userspace mode all.
    private static IEnumerable<Advice> OnLoopback(EffectiveConfiguration configuration, NodePortAddresses opened)
    {
        if (configuration.Mode is not (ProxyMode.Nftables or ProxyMode.Ipvs)) yield break;
        var isServed = configuration.Mode == ProxyMode.Nftables && FeatureGates.IsEnabled(configuration.Source, FeatureGates.NftablesLocalhostNodePorts);
        if (!isServed && (opened.NamesLocalhost(IpFamily.IPv4) || opened.NamesLocalhost(IpFamily.IPv6)))
            yield return new($"nodePortAddresses names loopback addresses, on which mode {configuration.Mode} opens no node ports");
        foreach (var block in opened.LoopbackBesidesLocalhost)
            yield return new($"nodePortAddresses names {block}, loopback addresses on which mode {configuration.Mode} opens no node ports");
    }

    private static IEnumerable<IpFamily> FamiliesOf(IEnumerable<string> cidrs)
    {
        foreach (var text in cidrs)
            if (Cidr.TryParse(text, out var cidr)) yield return cidr.Family;
    }
}
