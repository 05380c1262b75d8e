using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Tests.Configuration;

public sealed class ConfigurationFileTests
{
    private const string Head = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

    [Fact]
    public void Nothing_in_a_list_is_the_empty_text_as_in_Kubernetes() => Assert.Equal(
        ["primary", "", ""],
        ConfigurationFile.Parse(
            "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nnodePortAddresses: [primary, null, ~]\n", "file", out _).NodePortAddresses);

    [Fact]
    public void Unknown_and_repeated_fields_are_forgiven_with_a_warning()
    {
        var configuration = ConfigurationFile.Parse(Head + "mode: nftables\nnoSuchField: 1\nnftables:\n  what: {a: b}\nmode: ipvs\n", "file", out var warnings);
        Assert.Equal("ipvs", configuration.Mode);
        Assert.Equal(
            ["line 4: noSuchField: unknown field", "line 6: nftables.what: unknown field", "line 7: mode: field is given more than once; the last one counts"],
            warnings.Select(warning => warning.ToString()));
    }

    [Fact]
    public void Names_are_case_sensitive()
    {
        ConfigurationFile.Parse(Head + "Mode: nftables\n", "file", out var warnings);
        Assert.Equal("Mode", Assert.Single(warnings).Path);
    }

    [Fact]
    public void All_values_of_a_wrong_type_are_reported_at_once()
    {
        var problem = Assert.Throws<ConfigurationException>(() => ConfigurationFile.Parse(
            Head + "mode: 5\niptables:\n  syncPeriod: 30\n  masqueradeBit: x\nnodePortAddresses: [1, ok]\nconntrack: 7\n", "kp.yaml", out _));
        Assert.Equal(
            [
                "line 3: mode: expected a string, found 5",
                "line 5: iptables.syncPeriod: expected a duration such as \"30s\" or \"1m30s\", found 30",
                "line 6: iptables.masqueradeBit: expected a whole number of 32 bits, found the string \"x\"",
                "line 7: nodePortAddresses[0]: expected a string, found 1",
                "line 8: conntrack: expected a mapping, found 7",
            ],
            problem.Problems.Select(item => item.ToString()));
        Assert.StartsWith("kp.yaml: 5 problems:\n  line 3: mode:", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "document: is empty")]
    [InlineData("# nothing\n", "document: is empty")]
    [InlineData("a: 1\n---\nb: 2\n", "document: holds more than one YAML document")]
    [InlineData("[1]", "line 1: document: expected a mapping, found a list")]
    [InlineData("mode: @", "line 1: document: ")]
    [InlineData("logging: {vmodule: [null]}", "line 1: logging.vmodule[0]: expected a mapping, found null")]
    [InlineData("clientConnection: {qps: 1e308}", "line 1: clientConnection.qps: expected a number within 3.4e38, found ")]
    [InlineData("clientConnection: {qps: -3.5e38}", "line 1: clientConnection.qps: expected a number within 3.4e38, found ")]
    [InlineData("clientConnection: {qps: .inf}", "line 1: clientConnection.qps: expected a number")]
    [InlineData("kind: KubeProxyConfiguration", "apiVersion: expected kubeproxy.config.k8s.io/v1alpha1, found nothing")]
    [InlineData("kind: KubeProxyConfiguration\napiVersion: v1", "apiVersion: expected kubeproxy.config.k8s.io/v1alpha1, found v1")]
    [InlineData("kind: Service\napiVersion: kubeproxy.config.k8s.io/v1alpha1", "kind: expected KubeProxyConfiguration, found Service")]
    public void A_file_that_is_no_configuration_is_refused(string text, string expected)
    {
        var problem = Assert.Throws<ConfigurationException>(() => ConfigurationFile.Parse(text, "f", out _));
        Assert.StartsWith(expected, problem.Problems[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_a_configuration_problem()
    {
        var problem = Assert.Throws<ConfigurationException>(() => ConfigurationFile.Read("/nonexistent/file", out _));
        Assert.Equal("--config", problem.Problems[0].Path);
    }

    [Fact]
    public void What_is_written_is_read_back_the_same()
    {
        var original = ConfigurationDefaults.Apply(ConfigurationFile.Parse(
            Head + "mode: nftables\nclusterCIDR: 10.0.0.0/8\nfeatureGates: {ComponentFlagz: false}\nlogging: {verbosity: 4, flushFrequency: 1000000000}\nconntrack: {maxPerCore: 0}\n", "f", out _));
        var text = ConfigurationFile.ToYaml(original);
        Assert.Equal(text, ConfigurationFile.ToYaml(ConfigurationFile.Parse(text, "f", out var warnings)));
        Assert.Empty(warnings);
        Assert.Contains("flushFrequency: \"1s\"", text.Replace("flushFrequency: 1s", "flushFrequency: \"1s\"", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("maxPerCore: 0", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("::", "[::]:10256", "[::1]:10249")]
    [InlineData("2001:db8::1", "[::]:10256", "[::1]:10249")]
    [InlineData("192.0.2.1", "0.0.0.0:10256", "127.0.0.1:10249")]
    public void Default_addresses_follow_the_family_of_the_bind_address(string bindAddress, string healthz, string metrics)
    {
        var configuration = ConfigurationDefaults.Apply(new KubeProxyConfiguration { BindAddress = bindAddress });
        Assert.Equal((healthz, metrics), (configuration.HealthzBindAddress, configuration.MetricsBindAddress));
    }

    [Fact]
    public void A_bare_address_gets_the_default_port()
    {
        var configuration = ConfigurationDefaults.Apply(new KubeProxyConfiguration { HealthzBindAddress = "fd00::1", MetricsBindAddress = "192.0.2.7" });
        Assert.Equal(("[fd00::1]:10256", "192.0.2.7:10249"), (configuration.HealthzBindAddress, configuration.MetricsBindAddress));
    }
}
