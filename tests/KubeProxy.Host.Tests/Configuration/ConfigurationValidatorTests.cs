using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Tests.Configuration;

public sealed class ConfigurationValidatorTests
{
    private static List<string> Problems(Action<KubeProxyConfiguration> change)
    {
        var configuration = ConfigurationDefaults.Apply(new KubeProxyConfiguration { Mode = ProxyMode.Nftables });
        change(configuration);
        var effective = EffectiveConfiguration.From(ConfigurationDefaults.ApplyPlatform(configuration));
        return [.. ConfigurationValidator.Validate(effective).Select(problem => problem.ToString())];
    }

    public static TheoryData<string, Action<KubeProxyConfiguration>> Invalid { get; } = new()
    {
        { "featureGates: Invalid value: \"No pe\": no name of a feature gate: only letters and digits make one", c => c.FeatureGates["No pe"] = true },
        { "featureGates: Invalid value: \"\": no name of a feature gate: only letters and digits make one", c => c.FeatureGates[""] = true },
        { "Mode.ProxyMode: Invalid value: \"ipvs\": must be iptables, nftables or userspace: feature KubeProxyIPVS is disabled", c => (c.Mode, c.FeatureGates["KubeProxyIPVS"]) = ("ipvs", false) },
        { "featureGates: Invalid value: \"NFTablesProxyMode\": cannot set feature gate NFTablesProxyMode to false, feature is locked", c => c.FeatureGates["NFTablesProxyMode"] = false },
        { "ClientConnection.Burst: Invalid value: -1: must be non-negative", c => c.ClientConnection.Burst = -1 },
        { "logging.format: Invalid value: \"xml\": must be text or json", c => c.Logging.Format = "xml" },
        { "logging.format: Invalid value: \"json\": feature LoggingBetaOptions is disabled", c => (c.Logging.Format, c.FeatureGates["LoggingBetaOptions"]) = ("json", false) },
        { "logging.flushFrequency: Invalid value: \"-1s\": must be positive", c => c.Logging.FlushFrequency = GoDuration.FromSeconds(-1) },
        { "logging.verbosity: Invalid value: 4294967295: must be at most 2147483647", c => c.Logging.Verbosity = uint.MaxValue },
        { "logging.vmodule: Invalid value: \"\": only supported for text log format", c => (c.Logging.Format, c.Logging.Vmodule) = ("json", [new VModuleItem { FilePattern = "x" }]) },
        { "logging.vmodule[0]: Required value: file pattern must not be empty", c => c.Logging.Vmodule.Add(new VModuleItem()) },
        { "logging.vmodule[0]: Invalid value: \"a=b\": file pattern must not contain equal sign or comma", c => c.Logging.Vmodule.Add(new VModuleItem { FilePattern = "a=b" }) },
        { "logging.vmodule[0]: Invalid value: 4000000000: verbosity must be at most 2147483647", c => c.Logging.Vmodule.Add(new VModuleItem { FilePattern = "a", Verbosity = 4_000_000_000 }) },
        { "logging.options.text.splitStream: Forbidden: feature LoggingAlphaOptions is disabled", c => c.Logging.Options.Text.SplitStream = true },
        { "logging.options.json.infoBufferSize: Forbidden: feature LoggingAlphaOptions is disabled", c => c.Logging.Options.Json.InfoBufferSize = new Quantity(5) },
        { "BindAddress: Invalid value: \"node\": not a valid textual representation of an IP address", c => c.BindAddress = "node" },
        { "HealthzBindAddress: Invalid value: \"1.2.3.4\": must be IP:port", c => c.HealthzBindAddress = "1.2.3.4" },
        { "HealthzBindAddress: Invalid value: \"host:80\": host must be a valid IP", c => c.HealthzBindAddress = "host:80" },
        { "HealthzBindAddress: Invalid value: \"1.2.3.4:0\": 0 must be a valid port", c => c.HealthzBindAddress = "1.2.3.4:0" },
        { "HealthzBindAddress: Invalid value: \"::1:80\": must be IP:port", c => c.HealthzBindAddress = "::1:80" },
        { "MetricsBindAddress: Invalid value: \"\": must be IP:port", c => c.MetricsBindAddress = "" },
        { "MetricsBindAddress: Invalid value: \"[::1]:65536\": 65536 must be a valid port", c => c.MetricsBindAddress = "[::1]:65536" },
        { "ShowHiddenMetricsForVersion: Invalid value: \"1.34\": must be omitted or have the value 1.36 (or 1.35 or 1.37)", c => c.ShowHiddenMetricsForVersion = "1.34" },
        { "Mode.ProxyMode: Invalid value: \"ebpf\": must be iptables, ipvs, nftables or userspace", c => c.Mode = "ebpf" },
        { "KubeProxyIPTablesConfiguration.MasqueradeBit: Invalid value: 32: must be within the range of [0, 31]", c => c.Iptables.MasqueradeBit = 32 },
        { "KubeProxyNFTablesConfiguration.MasqueradeBit: Invalid value: -1: must be within the range of [0, 31]", c => c.Nftables.MasqueradeBit = -1 },
        { "KubeProxyIPVSConfiguration.TCPTimeout: Invalid value: \"-1s\": must be greater than or equal to 0", c => (c.Mode, c.Ipvs.TcpTimeout) = ("ipvs", GoDuration.FromSeconds(-1)) },
        { "KubeProxyIPVSConfiguration.TCPFinTimeout: Invalid value: \"-1s\": must be greater than or equal to 0", c => (c.Mode, c.Ipvs.TcpFinTimeout) = ("ipvs", GoDuration.FromSeconds(-1)) },
        { "KubeProxyIPVSConfiguration.UDPTimeout: Invalid value: \"-1s\": must be greater than or equal to 0", c => (c.Mode, c.Ipvs.UdpTimeout) = ("ipvs", GoDuration.FromSeconds(-1)) },
        { "KubeProxyIPVSConfiguration.ExcludeCidrs[1]: Invalid value: \"x\": must be a valid IP block", c => (c.Mode, c.Ipvs.ExcludeCIDRs) = ("ipvs", ["10.0.0.0/8", "x"]) },
        { "SyncPeriod: Invalid value: \"-1s\": must be greater than 0|MinSyncPeriod", c => c.Nftables.SyncPeriod = GoDuration.FromSeconds(-1) },
        { "MinSyncPeriod: Invalid value: \"-1s\": must be greater than or equal to 0", c => c.Nftables.MinSyncPeriod = GoDuration.FromSeconds(-1) },
        { "SyncPeriod: Invalid value: \"31s\": must be greater than or equal to KubeProxyConfiguration.MinSyncPeriod", c => c.Nftables.MinSyncPeriod = GoDuration.FromSeconds(31) },
        { "ConfigSyncPeriod: Invalid value: \"-1s\": must be greater than 0", c => c.ConfigSyncPeriod = GoDuration.FromSeconds(-1) },
        { "DetectLocalMode: Unsupported value: \"Magic\"", c => c.DetectLocalMode = "Magic" },
        { "DetectLocalConfiguration.InterfaceName: Invalid value: \"\"", c => c.DetectLocalMode = DetectLocalMode.BridgeInterface },
        { "DetectLocalConfiguration.InterfacePrefix: Invalid value: \"\"", c => c.DetectLocalMode = DetectLocalMode.InterfaceNamePrefix },
        { "DetectLocalConfiguration.InterfaceName: Invalid value: \"a-bridge-too-far\": detect-local bridge interface has 16 bytes", c => (c.DetectLocalMode, c.DetectLocal.BridgeInterface) = (DetectLocalMode.BridgeInterface, "a-bridge-too-far") },
        { "DetectLocalConfiguration.InterfacePrefix: Invalid value: \"a-prefix-too-far\": detect-local interface prefix has 16 bytes", c => (c.DetectLocalMode, c.DetectLocal.InterfaceNamePrefix) = (DetectLocalMode.InterfaceNamePrefix, "a-prefix-too-far") },
        { "DetectLocalConfiguration.InterfacePrefix: Invalid value: \"ve th\"", c => (c.DetectLocalMode, c.DetectLocal.InterfaceNamePrefix) = (DetectLocalMode.InterfaceNamePrefix, "ve th") },
        { "DetectLocalConfiguration.InterfaceName: Invalid value: \"br/0\"", c => (c.DetectLocalMode, c.DetectLocal.BridgeInterface) = (DetectLocalMode.BridgeInterface, "br/0") },
        { "DetectLocalConfiguration.ClusterCIDRs[1]: Invalid value: \" fd00::/8\": must be a valid CIDR value", c => c.ClusterCIDR = "10.0.0.0/8, fd00::/8" },
        { "DetectLocalConfiguration.ClusterCIDRs: Invalid value: \"10.0.0.0/8,11.0.0.0/8\": must be one block of each family", c => c.ClusterCIDR = "10.0.0.0/8,11.0.0.0/8" },
        { "DetectLocalConfiguration.ClusterCIDRs: Invalid value: \"10.0.0.0/8,fd00::/8,fd01::/16\": may hold at most two", c => c.ClusterCIDR = "10.0.0.0/8,fd00::/8,fd01::/16" },
        { "NodePortAddresses[0]: Invalid value: \"10.0.0.1\": must be a valid CIDR", c => c.NodePortAddresses = ["10.0.0.1"] },
        { "NodePortAddresses[1]: Invalid value: \"\": must be a valid CIDR", c => c.NodePortAddresses = ["primary", ""] },
        { "NodePortAddresses[3]: Invalid value: \"Localhost\": must be a valid CIDR, 'primary', 'localhost' or 'all'", c => c.NodePortAddresses = ["10.0.0.0/8", "primary", "all", "Localhost"] },
        { "KubeProxyLinuxConfiguration.OOMScoreAdj: Invalid value: -1001: must be within the range of [-1000, 1000]", c => c.OomScoreAdj = -1001 },
        { "KubeProxyLinuxConfiguration.KubeProxyConntrackConfiguration.MaxPerCore: Invalid value: -1: must be greater than or equal to 0", c => c.Conntrack.MaxPerCore = -1 },
        { "KubeProxyLinuxConfiguration.KubeProxyConntrackConfiguration.Min: Invalid value: -1", c => c.Conntrack.Min = -1 },
        { "KubeProxyLinuxConfiguration.KubeProxyConntrackConfiguration.TCPEstablishedTimeout: Invalid value: \"-1s\"", c => c.Conntrack.TcpEstablishedTimeout = GoDuration.FromSeconds(-1) },
        { "KubeProxyLinuxConfiguration.KubeProxyConntrackConfiguration.TCPCloseWaitTimeout: Invalid value: \"-1s\"", c => c.Conntrack.TcpCloseWaitTimeout = GoDuration.FromSeconds(-1) },
        { "KubeProxyLinuxConfiguration.KubeProxyConntrackConfiguration.UDPTimeout: Invalid value: \"-1s\"", c => c.Conntrack.UdpTimeout = GoDuration.FromSeconds(-1) },
        { "KubeProxyLinuxConfiguration.KubeProxyConntrackConfiguration.UDPStreamTimeout: Invalid value: \"-1s\"", c => c.Conntrack.UdpStreamTimeout = GoDuration.FromSeconds(-1) },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void A_wrong_value_is_named(string expected, Action<KubeProxyConfiguration> change)
    {
        var problems = Problems(change);
        Assert.StartsWith("KubeProxyConfiguration." + expected.Split('|')[0], problems[0], StringComparison.Ordinal);
        Assert.Equal(expected.Contains('|', StringComparison.Ordinal) ? 2 : 1, problems.Count);
    }

    [Fact]
    public void All_wrong_values_are_named_at_once() => Assert.Equal(3, Problems(c =>
    {
        c.BindAddress = "x";
        c.OomScoreAdj = 5000;
        c.NodePortAddresses = ["y"];
    }).Count);

    [Theory]
    [InlineData("primary")]
    [InlineData("localhost")]
    [InlineData("all")]
    [InlineData("primary,10.0.0.0/8,localhost,fd00::/8,all,primary,127.0.0.2/32")]
    public void Node_port_addresses_are_blocks_and_keywords_in_any_mix(string addresses)
    {
        foreach (var mode in new[] { ProxyMode.Nftables, ProxyMode.Iptables, ProxyMode.Ipvs, ProxyMode.Userspace })
        {
            Assert.Empty(Problems(c =>
            {
                c.Mode = mode;
                c.NodePortAddresses = [.. addresses.Split(',')];
            }));
        }
    }

    [Theory]
    [InlineData("10.0.0.0/8")]
    [InlineData("10.0.0.0/8,fd00::/8")]
    [InlineData("")]
    public void These_cluster_blocks_are_fine(string clusterCidr) => Assert.Empty(Problems(c => c.ClusterCIDR = clusterCidr));

    [Fact]
    public void Sections_of_other_modes_are_not_checked() => Assert.Empty(Problems(c =>
    {
        c.Ipvs.TcpTimeout = GoDuration.FromSeconds(-1);
        c.Ipvs.ExcludeCIDRs = ["x"];
        c.Iptables.SyncPeriod = GoDuration.FromSeconds(-1);
        c.DetectLocalMode = DetectLocalMode.NodeCidr;
        c.ClusterCIDR = "nonsense";
    }));

    [Fact]
    public void The_selected_mode_decides_what_is_in_force()
    {
        var source = ConfigurationDefaults.Apply(new KubeProxyConfiguration { Mode = ProxyMode.Ipvs });
        source.Nftables.MasqueradeAll = true;
        source.Iptables.MasqueradeBit = 3;
        Assert.Equal((3, false, GoDuration.Zero), (EffectiveConfiguration.From(source).MasqueradeBit, EffectiveConfiguration.From(source).MasqueradeAll, EffectiveConfiguration.From(source).MinSyncPeriod));
        source.Mode = ProxyMode.Nftables;
        Assert.Equal((14, true, GoDuration.FromSeconds(1)), (EffectiveConfiguration.From(source).MasqueradeBit, EffectiveConfiguration.From(source).MasqueradeAll, EffectiveConfiguration.From(source).MinSyncPeriod));
    }
}
