using KubeProxy.Core.Model;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Node;

namespace KubeProxy.Host.Tests.Node;

public sealed class ConfigurationAdviceTests
{
    private static EffectiveConfiguration Configuration(string[] nodePorts, string clusterCidr = "", string mode = "ClusterCIDR", string healthz = "0.0.0.0:1") =>
        EffectiveConfiguration.From(ConfigurationDefaults.Apply(new KubeProxyConfiguration
        {
            Mode = ProxyMode.Iptables, NodePortAddresses = [.. nodePorts], ClusterCIDR = clusterCidr, DetectLocalMode = mode, HealthzBindAddress = healthz,
            Ipvs = new IpvsConfiguration { ExcludeCIDRs = ["10.0.0.0/8"] },
        }));

    [Theory]
    [InlineData("", "", "", "is empty")]
    [InlineData("primary", "", "", null)]
    [InlineData("10.0.0.0/8", "", "", null)]
    [InlineData("10.0.0.0/8", "10.0.0.0/8,fd00::/8", "", "dual-stack")]
    [InlineData("10.0.0.0/8", "", "10.0.0.0/8,fd00::/8", "dual-stack")]
    [InlineData("10.0.0.0/8,fd00::/8", "10.0.0.0/8,fd00::/8", "", null)]
    [InlineData("fd00::/8", "", "", "no IPv4 block")]
    [InlineData("primary,fd00::/8", "10.0.0.0/8,fd00::/8", "", null)]
    [InlineData("localhost", "10.0.0.0/8,fd00::/8", "", null)]
    [InlineData("all", "10.0.0.0/8,fd00::/8", "", null)]
    public void Node_ports_that_are_open_wider_than_meant_are_named(string nodePorts, string clusterCidr, string podCidrs, string? expected)
    {
        var advice = ConfigurationAdvice.OnNodePorts(Configuration(Split(nodePorts), clusterCidr), IpFamily.IPv4, Split(podCidrs)).ToList();
        if (expected is null) Assert.Empty(advice);
        else Assert.Contains(expected, Assert.Single(advice).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("primary,localhost", true, null)]
    [InlineData("primary,127.0.0.0/8", true, null)]
    [InlineData("primary,127.0.0.2/32", true, "names 127.0.0.2/32")]
    [InlineData("primary,localhost", false, "names loopback addresses")]
    public void Loopback_addresses_that_are_named_in_vain_are_named_again(string nodePorts, bool gate, string? expected)
    {
        var configuration = EffectiveConfiguration.From(ConfigurationDefaults.Apply(new KubeProxyConfiguration
        {
            Mode = ProxyMode.Nftables, NodePortAddresses = [.. Split(nodePorts)], FeatureGates = new() { [FeatureGates.NftablesLocalhostNodePorts] = gate },
        }));
        var advice = ConfigurationAdvice.OnNodePorts(configuration, IpFamily.IPv4, []).ToList();
        if (expected is null) Assert.Empty(advice);
        else Assert.Contains(expected, Assert.Single(advice).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("IPv4", true, "fd00::/8", "", "ClusterCIDR", "0.0.0.0:1", "clusterCIDR has no IPv4")]
    [InlineData("IPv4", false, "fd00::/8", "", "ClusterCIDR", "0.0.0.0:1", "!clusterCIDR has no IPv4")]
    [InlineData("IPv4", false, "fd00::/8", "", "NodeCIDR", "0.0.0.0:1", "clusterCIDR has no IPv4")]
    [InlineData("IPv4", false, "", "fd00::/8", "NodeCIDR", "0.0.0.0:1", "!the node's spec.podCIDRs has no IPv4")]
    [InlineData("IPv4", false, "", "", "ClusterCIDR", "[::1]:1", "healthzBindAddress is no IPv4")]
    [InlineData("IPv4", false, "", "", "ClusterCIDR", "[::]:1", "")]
    [InlineData("IPv4", true, "10.0.0.0/8,fd00::/8", "", "ClusterCIDR", "[::1]:1", "")]
    [InlineData("IPv6", false, "", "", "ClusterCIDR", "[::]:1", "ipvs.excludeCIDRs has no IPv6|metricsBindAddress is no IPv6")]
    public void Addresses_of_another_family_are_named(string primary, bool isDual, string clusterCidr, string podCidrs, string mode, string healthz, string expected)
    {
        var advice = ConfigurationAdvice.OnFamilies(Configuration([], clusterCidr, mode, healthz), Enum.Parse<IpFamily>(primary), isDual, Split(podCidrs)).ToList();
        var texts = advice.Select(item => (item.IsFatal ? "!" : "") + item.Message).ToList();
        var wanted = expected.Split('|', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(wanted.Length, texts.Count);
        Assert.All(wanted.Zip(texts), pair => Assert.StartsWith(pair.First, pair.Second, StringComparison.Ordinal));
    }

    private static string[] Split(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries);
}
