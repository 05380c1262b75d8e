using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Backends.Userspace;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Text;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>What the userspace mode does with packets that pass its rules inside of a bridge.</summary>
public sealed class RelayLayoutTests
{
    private static readonly MasqueradePolicy Policy = new() { LocalDetector = new LocalTrafficDetector.Bridge("cbr0") };

    [Fact]
    public void They_are_marked_where_they_lead_to_the_relay_and_translated_after_that()
    {
        Assert.Equal(
            """
            meta iifkind "bridge" meta mark set meta mark | 0x00004000 accept comment "translated later"
            meta l4proto tcp tproxy to 127.0.0.1:1000 meta mark set meta mark | 0x00004000 accept
            meta l4proto udp tproxy to 127.0.0.1:1004 meta mark set meta mark | 0x00004000 accept
            """, Text("relay", BridgeTranslation.Now));
        Assert.StartsWith(
            "meta iifkind \"bridge\" ct mark set ct mark | 0x00004000 meta mark set meta mark | 0x00004000 accept",
            Text("relay-short-circuit", BridgeTranslation.Now), StringComparison.Ordinal);
        Assert.Equal(
            """
            meta iifkind "bridge" meta mark & 0x00004000 != 0x00000000 ct mark & 0x00004000 != 0x00000000 meta l4proto tcp redirect to :1003
            meta iifkind "bridge" meta mark & 0x00004000 != 0x00000000 ct mark & 0x00004000 != 0x00000000 meta l4proto udp redirect to :1007
            meta iifkind "bridge" meta mark & 0x00004000 != 0x00000000 meta l4proto tcp redirect to :1001
            meta iifkind "bridge" meta mark & 0x00004000 != 0x00000000 meta l4proto udp redirect to :1005
            """, Text(RelayLayout.Bridged, BridgeTranslation.Now));
        Assert.Contains(
            "ct status ! dnat tcp dport 1001 reject with tcp reset", Text("direct", BridgeTranslation.Never), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_translated_when_there_are_none()
    {
        var rules = string.Join('\n', Layout.Chains(Plans.Node(), BridgeTranslation.Never).Select(chain => Text(chain)));
        Assert.DoesNotContain("bridge\"", rules, StringComparison.Ordinal);
        Assert.DoesNotContain(Layout.Chains(Plans.Node(), BridgeTranslation.Never), chain => chain.Chain.Base?.Type == NftChainType.Nat);
    }

    /// <summary>Without a chain of type nat the kernel would translate nothing any more, also not what began before.</summary>
    [Fact]
    public void Translations_go_on_after_the_last_has_begun()
    {
        Assert.Equal("", Text(RelayLayout.Bridged, BridgeTranslation.Before));
        Assert.DoesNotContain("bridge", Text("relay", BridgeTranslation.Before), StringComparison.Ordinal);
    }

    private static RelayLayout Layout => new(
        new RuleParts(IpFamily.IPv4, Policy), Policy, inlet => (ushort)(1000 + RelayInlet.All.IndexOf(inlet)));

    private static string Text(string chain, BridgeTranslation translation) =>
        Text(Layout.Chains(Plans.Node(), translation).Single(c => c.Chain.Key.Name == chain));

    private static string Text(ChainDefinition chain) => string.Join('\n', chain.Rules.Select(rule => NftRuleText.Rule(rule, NftFamily.Ip)));
}
