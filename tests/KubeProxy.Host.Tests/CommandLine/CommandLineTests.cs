using System.Text.Json;
using System.Text.Json.Nodes;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Tests.CommandLine;

public sealed class CommandLineTests
{
    private static ProxyArguments Parse(params string[] arguments)
    {
        var parsed = ProxyCommandLine.Parse(arguments, out var errors);
        Assert.Empty(errors);
        return parsed!;
    }

    private static KubeProxyConfiguration Load(params string[] arguments) => ConfigurationLoader.Load(Parse(arguments), out _).Source;

    /// <summary>Flag, value, the field that it changes, the field's value then. Mode nftables unless the flag says otherwise.</summary>
    public static TheoryData<string, string, string> Flags { get; } = new()
    {
        { "--hostname-override=Node-1", "hostnameOverride", "\"node-1\"" },
        { "--bind-address=192.0.2.1", "bindAddress", "\"192.0.2.1\"" },
        { "--bind-address=", "bindAddress", "\"0.0.0.0\"" },
        { "--healthz-bind-address=192.0.2.1", "healthzBindAddress", "\"192.0.2.1:10256\"" },
        { "--healthz-bind-address=[::]:99", "healthzBindAddress", "\"[::]:99\"" },
        { "--healthz-bind-address=", "healthzBindAddress", "\"0.0.0.0:10256\"" },
        { "--healthz-port=0", "healthzBindAddress", "\"\"" },
        { "--metrics-bind-address=fd00::1", "metricsBindAddress", "\"[fd00::1]:10249\"" },
        { "--metrics-port=5", "metricsBindAddress", "\"127.0.0.1:10249\"" },
        { "--bind-address-hard-fail", "bindAddressHardFail", "true" },
        { "--profiling=true", "enableProfiling", "true" },
        { "--show-hidden-metrics-for-version=1.35", "showHiddenMetricsForVersion", "\"1.35\"" },
        { "--nodeport-addresses=10.0.0.0/8,fd00::/8", "nodePortAddresses", "[\"10.0.0.0/8\",\"fd00::/8\"]" },
        { "--oom-score-adj=-5", "oomScoreAdj", "-5" },
        { "--feature-gates=ComponentFlagz=false,AllAlpha=true", "featureGates", "{\"ComponentFlagz\":false,\"AllAlpha\":true}" },
        { "--iptables-masquerade-bit=3", "iptables.masqueradeBit", "3" },
        { "--masquerade-all", "nftables.masqueradeAll", "true" },
        { "--masquerade_all=true", "iptables.masqueradeAll", "true" },
        { "--iptables-localhost-nodeports=false", "iptables.localhostNodePorts", "false" },
        { "--iptables-sync-period=1m", "nftables.syncPeriod", "\"1m0s\"" },
        { "--iptables-min-sync-period=0s", "nftables.minSyncPeriod", "\"0s\"" },
        { "--detect-local-mode=NodeCIDR", "detectLocalMode", "\"NodeCIDR\"" },
        { "--pod-bridge-interface=br0", "detectLocal.bridgeInterface", "\"br0\"" },
        { "--pod-interface-name-prefix=cali", "detectLocal.interfaceNamePrefix", "\"cali\"" },
        { "--cluster-cidr=10.0.0.0/8,fd00::/8", "clusterCIDR", "\"10.0.0.0/8,fd00::/8\"" },
        { "--ipvs-sync-period=1m", "ipvs.syncPeriod", "\"1m0s\"" },
        { "--ipvs-min-sync-period=5s", "ipvs.minSyncPeriod", "\"5s\"" },
        { "--ipvs-scheduler=wrr", "ipvs.scheduler", "\"wrr\"" },
        { "--ipvs-exclude-cidrs=10.0.0.0/8", "ipvs.excludeCIDRs", "[\"10.0.0.0/8\"]" },
        { "--ipvs-strict-arp", "ipvs.strictARP", "true" },
        { "--ipvs-tcp-timeout=1s", "ipvs.tcpTimeout", "\"1s\"" },
        { "--ipvs-tcpfin-timeout=1s", "ipvs.tcpFinTimeout", "\"1s\"" },
        { "--ipvs-udp-timeout=1s", "ipvs.udpTimeout", "\"1s\"" },
        { "--conntrack-max-per-core=0", "conntrack.maxPerCore", "0" },
        { "--conntrack-min=7", "conntrack.min", "7" },
        { "--conntrack-tcp-timeout-established=1h", "conntrack.tcpEstablishedTimeout", "\"1h0m0s\"" },
        { "--conntrack-tcp-timeout-close-wait=1m", "conntrack.tcpCloseWaitTimeout", "\"1m0s\"" },
        { "--conntrack-tcp-be-liberal", "conntrack.tcpBeLiberal", "true" },
        { "--conntrack-udp-timeout=1s", "conntrack.udpTimeout", "\"1s\"" },
        { "--conntrack-udp-timeout-stream=1s", "conntrack.udpStreamTimeout", "\"1s\"" },
        { "--udp-timeout=1s", "udpIdleTimeout", "\"1s\"" },
        { "--kubeconfig=/x", "clientConnection.kubeconfig", "\"/x\"" },
        { "--kube-api-content-type=application/json", "clientConnection.contentType", "\"application/json\"" },
        { "--kube-api-burst=20", "clientConnection.burst", "20" },
        { "--kube-api-qps=7.5", "clientConnection.qps", "7.5" },
        { "--config-sync-period=1m", "configSyncPeriod", "\"1m0s\"" },
        { "--logging-format=json", "logging.format", "\"json\"" },
        { "--log-flush-frequency=1s", "logging.flushFrequency", "\"1s\"" },
        { "--v=4", "logging.verbosity", "4" },
        { "-v=4", "logging.verbosity", "4" },
        { "-v4", "logging.verbosity", "4" },
        { "--vmodule=Engine=5,Sync*=6", "logging.vmodule", """[{"filePattern":"Engine","verbosity":5},{"filePattern":"Sync*","verbosity":6}]""" },
    };

    [Theory]
    [MemberData(nameof(Flags))]
    public void A_flag_changes_its_field(string flag, string path, string json)
    {
        var configuration = Load("--proxy-mode", "nftables", flag);
        Assert.Equal("nftables", configuration.Mode);
        var node = JsonNode.Parse(JsonSerializer.Serialize(configuration, ConfigurationJsonContext.Default.KubeProxyConfiguration))!;
        Assert.Equal(json, path.Split('.').Aggregate(node, (parent, name) => parent[name]!).ToJsonString());
    }

    [Fact]
    public void Every_flag_with_an_effect_is_tested()
    {
        var tested = Flags.Select(row => row.Data.Item1.TrimStart('-').Split('=')[0].Replace('_', '-')).Append("proxy-mode");
        string[] alpha = ["log-text-split-stream", "log-json-split-stream", "log-text-info-buffer-size", "log-json-info-buffer-size"];
        string[] elsewhere = ["vip-ranges"]; // It is no field.
        Assert.Equal(
            FlagTable.All.Where(flag => flag.Apply is not null).Select(flag => flag.Name).Order(),
            tested.Concat(alpha).Concat(elsewhere).Where(name => name != "v4").Distinct().Order());
    }

    [Fact]
    public void Ranges_of_virtual_ips_are_taken_beside_a_file_and_checked()
    {
        Assert.Equal(["198.51.100.0/24", "192.0.2.1-192.0.2.9"], Load("--vip-ranges=198.51.100.0/24,192.0.2.1-192.0.2.9").VipRanges);
        var refused = Assert.Throws<ConfigurationException>(() => Load("--vip-ranges=192.0.2.9-192.0.2.1"));
        Assert.Contains("--vip-ranges[0]: '192.0.2.9-192.0.2.1' ends before it begins", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--bogus")]
    [InlineData("positional")]
    [InlineData("--bind-address=node", "bind-address")]
    [InlineData("--healthz-bind-address=host:1", "healthz-bind-address")]
    [InlineData("--v=x", "--v:")]
    [InlineData("--masquerade-all=maybe", "masquerade-all")]
    [InlineData("--cleanup=maybe", "cleanup")]
    [InlineData("--iptables-sync-period=5", "iptables-sync-period")]
    [InlineData("--feature-gates=X", "feature-gates")]
    [InlineData("--kube-api-qps=x", "kube-api-qps")]
    [InlineData("--config")]
    public void A_wrong_flag_is_named(string argument, string? expected = null)
    {
        Assert.Null(ProxyCommandLine.Parse([argument], out var errors));
        Assert.Contains(expected ?? argument, string.Join('\n', errors), StringComparison.Ordinal);
    }

    [Fact]
    public void With_a_file_only_some_flags_count()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: nftables\nhostnameOverride: file\nlogging: {vmodule: [{filePattern: a, verbosity: 1}]}\n");
            var configuration = Load("--config", file, "--proxy-mode=ipvs", "--cluster-cidr=10.0.0.0/8", "--hostname-override= Flag ", "-v=5", "--vmodule=b=2");
            Assert.Equal(("nftables", "", "flag", 5u), (configuration.Mode, configuration.ClusterCIDR, configuration.HostnameOverride, configuration.Logging.Verbosity));
            Assert.Equal(["b", "a"], configuration.Logging.Vmodule.Select(item => item.FilePattern));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Blank_host_names_are_refused() => Assert.Throws<ConfigurationException>(() => Load("--hostname-override= "));

    [Fact]
    public void Flags_alone_give_ipvs_a_least_period() =>
        Assert.Equal(GoDuration.FromSeconds(1), ConfigurationLoader.Load(Parse("--proxy-mode=ipvs"), out _).MinSyncPeriod);

    [Theory]
    [InlineData("--healthz-bind-address=192.0.2.1 --healthz-port=11000", "192.0.2.1:11000", "127.0.0.1:10249")]
    [InlineData("--healthz-port=11000 --healthz-bind-address=::", "[::]:11000", "127.0.0.1:10249")]
    [InlineData("--healthz-bind-address=192.0.2.1:12000 --healthz-port=11000", "192.0.2.1:12000", "127.0.0.1:10249")]
    [InlineData("--healthz-bind-address=192.0.2.1 --healthz-port=0", "", "127.0.0.1:10249")]
    [InlineData("--healthz-port=11000", "0.0.0.0:10256", "127.0.0.1:10249")]
    [InlineData("--metrics-bind-address=fd00::1 --metrics-port=11000", "0.0.0.0:10256", "[fd00::1]:11000")]
    [InlineData("--metrics-bind-address=fd00::1", "0.0.0.0:10256", "[fd00::1]:10249")]
    [InlineData("--metrics-bind-address=[fd00::1]:12000 --metrics-port=11000", "0.0.0.0:10256", "[fd00::1]:12000")]
    public void Ports_of_their_own_are_for_addresses_without_one(string flags, string healthz, string metrics)
    {
        var configuration = Load(flags.Split(' '));
        Assert.Equal((healthz, metrics), (configuration.HealthzBindAddress, configuration.MetricsBindAddress));
    }

    [Theory]
    [InlineData("--healthz-bind-address=192.0.2.1 --healthz-port=70000", "HealthzBindAddress")]
    [InlineData("--metrics-bind-address=192.0.2.1 --metrics-port=-1", "MetricsBindAddress")]
    public void Ports_of_their_own_have_to_be_ports(string flags, string field) =>
        Assert.Contains(field, Assert.Throws<ConfigurationException>(() => Load(flags.Split(' '))).Message, StringComparison.Ordinal);

    [Fact]
    public void Metrics_port_zero_fails_validation() =>
        Assert.Contains("MetricsBindAddress", Assert.Throws<ConfigurationException>(() => Load("--metrics-port=0")).Message, StringComparison.Ordinal);

    [Fact]
    public void Help_shows_every_flag_that_is_not_deprecated()
    {
        Assert.Null(ProxyCommandLine.Parse(["--help"], out var errors));
        Assert.Empty(errors);
        var text = new StringWriter();
        ProxyCommandLine.WriteHelp(text);
        foreach (var flag in FlagTable.All) Assert.Equal(!flag.IsDeprecated, text.ToString().Contains($"--{flag.Name}\n", StringComparison.Ordinal));
    }

    [Fact]
    public void Process_flags_are_read()
    {
        var parsed = Parse("--manifests", "/m", "--config=/c", "--cleanup", "--init-only=false", "--version=raw", "--write-config-to", "/w");
        Assert.Equal(("/m", "/c", true, false, "raw", "/w"), (parsed.Manifests, parsed.ConfigFile, parsed.Cleanup, parsed.InitOnly, parsed.Version, parsed.WriteConfigTo));
        Assert.Null(Parse("--version=false").Version);
    }
}
