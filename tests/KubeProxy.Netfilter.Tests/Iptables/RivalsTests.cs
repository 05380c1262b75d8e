using KubeProxy.Core.Health;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Rivals;
using KubeProxy.Netfilter.Iptables.Legacy;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Tests.Backends;

namespace KubeProxy.Netfilter.Tests.Iptables;

public class RivalsTests
{
    private static readonly IpFamily[] Both = [IpFamily.IPv4, IpFamily.IPv6];
    private static readonly NftTableKey Table = new(NftFamily.Ip, "kube-proxy");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<IReadOnlyList<Rival>> SearchAsync(InMemoryNftables nftables, bool isIptables) =>
        new NftablesRivals(Both, isIptables, () => nftables).SearchAsync(Token);

    [Fact]
    public async Task Chains_of_iptables_mode_are_rivals_of_other_modes_until_nothing_leads_to_them()
    {
        await using var harness = await IptablesHarness.StartAsync();
        await harness.FirstSyncAsync(Plans.EveryKind());
        Assert.Empty(await SearchAsync(harness.Nftables, isIptables: true));
        var rival = Assert.Single(await SearchAsync(harness.Nftables, isIptables: false));
        Assert.True(rival.CanWin);
        Assert.Equal(
            "iptables -t nat PREROUTING leads to KUBE-SERVICES, iptables -t nat OUTPUT leads to KUBE-SERVICES, iptables -t filter INPUT leads to KUBE-EXTERNAL-SERVICES, "
            + "iptables -t filter INPUT leads to KUBE-NODEPORTS, iptables -t filter INPUT leads to KUBE-PROXY-FIREWALL, iptables -t filter FORWARD leads to KUBE-EXTERNAL-SERVICES, "
            + "iptables -t filter FORWARD leads to KUBE-PROXY-FIREWALL, iptables -t filter FORWARD leads to KUBE-SERVICES, iptables -t filter OUTPUT leads to KUBE-PROXY-FIREWALL, "
            + "iptables -t filter OUTPUT leads to KUBE-SERVICES", rival.Details);
        await IptablesCleanup.RunAsync(harness.Nftables, IpFamily.IPv4, Token);
        Assert.Empty(await SearchAsync(harness.Nftables, isIptables: false));
    }

    [Fact]
    public async Task The_table_of_other_modes_is_a_rival_of_iptables_mode_only()
    {
        await using var nftables = new InMemoryNftables();
        await nftables.CommitAsync(new NftTransaction().Add(new NftTable(Table)).Add(new NftTable(new NftTableKey(NftFamily.Inet, "kube-proxy"))), Token);
        Assert.Equal("table ip kube-proxy", Assert.Single(await SearchAsync(nftables, isIptables: true)).Details);
        Assert.Empty(await SearchAsync(nftables, isIptables: false));
    }

    [Theory]
    [InlineData("kube-proxy", "", NftChangeKind.Foreign, true)]
    [InlineData("kube-proxy", "", NftChangeKind.Own, false)]
    [InlineData("nat", "PREROUTING", NftChangeKind.Foreign, true)]
    [InlineData("nat", "DOCKER", NftChangeKind.Foreign, false)]
    [InlineData("mine", "", NftChangeKind.Foreign, false)]
    [InlineData("", "", NftChangeKind.Lost, true)]
    public void Only_some_changes_can_make_a_rival(string table, string chain, NftChangeKind kind, bool expected) => Assert.Equal(expected, NftablesRivals.Concerns(
        new NftChange(kind, 1)
        {
            Tables = [new NftTableKey(NftFamily.Ip, table)],
            Chains = chain.Length == 0 ? [] : [new NftChainChange(new NftChainKey(new NftTableKey(NftFamily.Ip, table), chain), IsRemoval: false)],
        }));

    [Fact]
    public async Task Chains_of_iptables_legacy_are_rivals_unless_they_are_kubelets()
    {
        List<LegacyChain> chains = [new("filter", "KUBE-FIREWALL"), new("nat", "KUBE-MARK-MASQ"), new("nat", "KUBE-POSTROUTING"), new("nat", "DOCKER"), new("raw", "KUBE-SERVICES")];
        var search = new LegacyRivals(IpFamily.IPv6, () => chains);
        Assert.Empty(await search.SearchAsync(Token));
        chains.Add(new("nat", "KUBE-SERVICES"));
        var rival = Assert.Single(await search.SearchAsync(Token));
        Assert.True(rival.CanWin);
        Assert.StartsWith(
            "rules of a kube-proxy in the tables of ip6tables-legacy (nat KUBE-SERVICES) can win over those of this proxy. ", rival.ToString(), StringComparison.Ordinal);
        Assert.Contains("'ip6tables-legacy-save | grep -v KUBE- | ip6tables-legacy-restore'", rival.Remedy, StringComparison.Ordinal);
    }
}
