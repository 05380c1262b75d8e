using System.Text.Json;
using System.Text.Json.Nodes;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Tests.Configuration;

/// <summary>
/// Every field of the configuration file: its default, another value that comes through, and a value of a wrong type. A last test makes
/// sure that no field is forgotten here.
/// </summary>
public sealed class ConfigurationFieldTests
{
    public static TheoryData<string, string, string, string> Fields { get; } = new()
    {
        { "featureGates", "{}", """{"ComponentFlagz":false}""", "[]" },
        { "clientConnection.kubeconfig", "\"\"", "\"/etc/kubeconfig\"", "1" },
        { "clientConnection.acceptContentTypes", "\"\"", "\"application/json\"", "1" },
        { "clientConnection.contentType", "\"application/vnd.kubernetes.protobuf\"", "\"application/json\"", "{}" },
        { "clientConnection.qps", "5", "7.5", "\"x\"" },
        { "clientConnection.burst", "10", "20", "1.5" },
        { "logging.format", "\"text\"", "\"json\"", "1" },
        { "logging.flushFrequency", "\"5s\"", "\"7s\"", "\"x\"" },
        { "logging.verbosity", "0", "4", "-1" },
        { "logging.vmodule", "[]", """[{"filePattern":"Engine","verbosity":4}]""", "{}" },
        { "logging.options.text.splitStream", "false", "true", "1" },
        { "logging.options.text.infoBufferSize", "\"0\"", "\"64Ki\"", "\"x\"" },
        { "logging.options.json.splitStream", "false", "true", "\"true\"" },
        { "logging.options.json.infoBufferSize", "\"0\"", "\"1Mi\"", "-5" },
        { "hostnameOverride", "\"\"", "\"node1\"", "1" },
        { "bindAddress", "\"0.0.0.0\"", "\"192.0.2.1\"", "1" },
        { "healthzBindAddress", "\"0.0.0.0:10256\"", "\"192.0.2.1:1\"", "1" },
        { "metricsBindAddress", "\"127.0.0.1:10249\"", "\"192.0.2.1:2\"", "1" },
        { "bindAddressHardFail", "false", "true", "\"x\"" },
        { "enableProfiling", "false", "true", "0" },
        { "showHiddenMetricsForVersion", "\"\"", "\"1.36\"", "1.36" },
        { "mode", "\"iptables\"", "\"nftables\"", "true" },
        { "iptables.masqueradeBit", "14", "0", "\"14\"" },
        { "iptables.masqueradeAll", "false", "true", "1" },
        { "iptables.localhostNodePorts", "true", "false", "1" },
        { "iptables.syncPeriod", "\"30s\"", "\"1m0s\"", "30" },
        { "iptables.minSyncPeriod", "\"1s\"", "\"2s\"", "\"1\"" },
        { "ipvs.syncPeriod", "\"30s\"", "\"1m0s\"", "30" },
        { "ipvs.minSyncPeriod", "\"0s\"", "\"2s\"", "{}" },
        { "ipvs.scheduler", "\"\"", "\"wrr\"", "1" },
        { "ipvs.excludeCIDRs", "[]", "[\"10.0.0.0/8\"]", "\"10.0.0.0/8\"" },
        { "ipvs.strictARP", "false", "true", "1" },
        { "ipvs.tcpTimeout", "\"0s\"", "\"2s\"", "1" },
        { "ipvs.tcpFinTimeout", "\"0s\"", "\"2s\"", "1" },
        { "ipvs.udpTimeout", "\"0s\"", "\"2s\"", "1" },
        { "nftables.masqueradeBit", "14", "31", "2.5" },
        { "nftables.masqueradeAll", "false", "true", "1" },
        { "nftables.syncPeriod", "\"30s\"", "\"1m0s\"", "true" },
        { "nftables.minSyncPeriod", "\"1s\"", "\"2s\"", "[]" },
        { "winkernel.networkName", "\"\"", "\"x\"", "1" },
        { "winkernel.sourceVip", "\"\"", "\"x\"", "1" },
        { "winkernel.enableDSR", "false", "true", "1" },
        { "winkernel.rootHnsEndpointName", "\"\"", "\"x\"", "1" },
        { "winkernel.forwardHealthCheckVip", "false", "true", "1" },
        { "detectLocalMode", "\"ClusterCIDR\"", "\"NodeCIDR\"", "1" },
        { "detectLocal.bridgeInterface", "\"\"", "\"br0\"", "1" },
        { "detectLocal.interfaceNamePrefix", "\"\"", "\"cali\"", "1" },
        { "clusterCIDR", "\"\"", "\"10.0.0.0/8,fd00::/8\"", "[]" },
        { "nodePortAddresses", "[]", "[\"192.0.2.0/24\"]", "\"primary\"" },
        { "oomScoreAdj", "-999", "0", "\"0\"" },
        { "conntrack.maxPerCore", "32768", "0", "5000000000" },
        { "conntrack.min", "131072", "0", "\"0\"" },
        { "conntrack.tcpEstablishedTimeout", "\"24h0m0s\"", "\"0s\"", "0" },
        { "conntrack.tcpCloseWaitTimeout", "\"1h0m0s\"", "\"0s\"", "0" },
        { "conntrack.tcpBeLiberal", "false", "true", "1" },
        { "conntrack.udpTimeout", "\"0s\"", "\"5s\"", "5" },
        { "conntrack.udpStreamTimeout", "\"0s\"", "\"5s\"", "5" },
        { "configSyncPeriod", "\"15m0s\"", "\"1m0s\"", "1" },
        { "udpIdleTimeout", "\"30s\"", "\"250ms\"", "1" },
        { "portRange", "\"\"", "\"1-2\"", "1" },
        { "windowsRunAsService", "false", "true", "1" },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_field_has_its_default_and_takes_another_value(string path, string defaultJson, string otherJson, string wrongJson)
    {
        _ = wrongJson;
        Assert.Equal(defaultJson, ValueOf(Complete(Document()), path));
        Assert.Equal(defaultJson, ValueOf(Complete(DocumentWith(path, "null")), path));
        Assert.Equal(otherJson, ValueOf(Complete(DocumentWith(path, otherJson)), path));
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_field_of_a_wrong_type_is_named_with_its_line(string path, string defaultJson, string otherJson, string wrongJson)
    {
        _ = (defaultJson, otherJson);
        var problem = Assert.Single(Assert.Throws<ConfigurationException>(
            () => ConfigurationFile.Parse(DocumentWith(path, wrongJson), "file", out _)).Problems);
        Assert.Equal((path, 1), (problem.Path, problem.Line));
        Assert.StartsWith("expected ", problem.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void All_fields_are_tested_here()
    {
        var covered = Fields.Select(row => row.Data.Item1).ToHashSet();
        var all = JsonNode.Parse(Complete(Document()))!.AsObject();
        all.Remove("kind");
        all.Remove("apiVersion");
        Assert.Equal(Leaves(all, "").Order(), covered.Order());
    }

    private static IEnumerable<string> Leaves(JsonObject parent, string prefix) => parent.SelectMany(member =>
        member.Value is JsonObject { Count: > 0 } child ? Leaves(child, prefix + member.Key + ".") : [prefix + member.Key]);

    private static string Document() => """{"apiVersion":"kubeproxy.config.k8s.io/v1alpha1","kind":"KubeProxyConfiguration"}""";

    private static string DocumentWith(string path, string value)
    {
        var names = path.Split('.');
        var nested = names.Reverse().Aggregate(value, (inner, name) => $"{{\"{name}\":{inner}}}");
        return Document()[..^1] + "," + nested[1..];
    }

    private static string Complete(string document)
    {
        var configuration = ConfigurationFile.Parse(document, "file", out var warnings);
        Assert.Empty(warnings);
        ConfigurationDefaults.ApplyPlatform(ConfigurationDefaults.Apply(configuration));
        if (!document.Contains("nodePortAddresses", StringComparison.Ordinal) && configuration.Mode == ProxyMode.Nftables)
            Assert.Equal(["primary"], configuration.NodePortAddresses);
        return JsonSerializer.Serialize(configuration, ConfigurationJsonContext.Default.KubeProxyConfiguration);
    }

    private static string ValueOf(string json, string path) =>
        path.Split('.').Aggregate(JsonNode.Parse(json)!, (node, name) => node[name]!).ToJsonString();
}
