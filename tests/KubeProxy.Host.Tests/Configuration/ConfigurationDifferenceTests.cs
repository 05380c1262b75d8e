using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Tests.Configuration;

public sealed class ConfigurationDifferenceTests
{
    [Fact]
    public void Fields_that_differ_are_named()
    {
        var (before, after) = (ConfigurationDefaults.Apply(new KubeProxyConfiguration()), ConfigurationDefaults.Apply(new KubeProxyConfiguration()));
        Assert.Empty(ConfigurationDifference.Of(before, after));
        after.FeatureGates["AllAlpha"] = true;
        after.NodePortAddresses = ["10.0.0.0/8"];
        after.Nftables.MasqueradeAll = true;
        after.Logging.Options.Text.SplitStream = true;
        Assert.Equal(["featureGates", "logging.options.text.splitStream", "nftables.masqueradeAll", "nodePortAddresses"], ConfigurationDifference.Of(before, after).Order());
    }

    [Theory]
    [InlineData("logging.verbosity", "nftables", "Live")]
    [InlineData("conntrack.udpTimeout", "iptables", "Live")]
    [InlineData("nodePortAddresses", "ipvs", "Live")]
    [InlineData("nftables.syncPeriod", "nftables", "Live")]
    [InlineData("nftables.syncPeriod", "iptables", "None")]
    [InlineData("iptables.minSyncPeriod", "userspace", "Live")]
    [InlineData("iptables.masqueradeBit", "nftables", "None")]
    [InlineData("iptables.masqueradeBit", "ipvs", "Restart")]
    [InlineData("iptables.syncPeriod", "ipvs", "None")]
    [InlineData("ipvs.scheduler", "ipvs", "Restart")]
    [InlineData("ipvs.scheduler", "nftables", "None")]
    [InlineData("nftables.masqueradeAll", "nftables", "Restart")]
    [InlineData("winkernel.enableDSR", "nftables", "None")]
    [InlineData("mode", "nftables", "Restart")]
    [InlineData("clientConnection.kubeconfig", "nftables", "Restart")]
    [InlineData("logging.format", "nftables", "Restart")]
    public void Effects_depend_on_the_mode(string path, string mode, string effect) => Assert.Equal(effect, ConfigurationDifference.EffectOf(path, mode).ToString());
}
