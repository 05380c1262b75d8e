using KubeProxy.Host.Backends;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Tests.Backends;

/// <summary>Each mode removes whatever any other may leave, ours or upstream's.</summary>
public sealed class CleanersTests
{
    private const string Table = "nftables"; // Tables ip/ip6 kube-proxy.

    // What a mode leaves, by the subjects of what removes it; upstream's modes of the same name included.
    private static readonly Dictionary<string, string[]> Left = new()
    {
        [ProxyMode.Nftables] = [Table],
        [ProxyMode.Iptables] = ["iptables", "nfacct", "sysctls"],
        [ProxyMode.Ipvs] = [Table, "ipvs", "iptables", "ipsets", "sysctls"],
        [ProxyMode.Userspace] = [Table, "userspace"],
    };

    // What a mode has for its own, and takes over from the others.
    private static readonly Dictionary<string, string[]> Taken = new()
    {
        [ProxyMode.Nftables] = [Table],
        [ProxyMode.Iptables] = ["iptables", "nfacct"],
        [ProxyMode.Ipvs] = [Table, "ipvs"],
        [ProxyMode.Userspace] = [Table, "userspace"],
    };

    public static TheoryData<string, string> Pairs { get; } = [.. Left.Keys.SelectMany(mode => Left.Keys.Where(other => other != mode).Select(other => (mode, other)))];

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_mode_removes_what_another_leaves(string mode, string other)
    {
        var removed = Subjects(ProxyBackends.CleanersAtStart(Configuration(mode)));
        Assert.Empty(Left[other].Except(Taken[mode]).Except(removed));
    }

    [Theory]
    [InlineData(ProxyMode.Nftables)]
    [InlineData(ProxyMode.Iptables)]
    [InlineData(ProxyMode.Ipvs)]
    [InlineData(ProxyMode.Userspace)]
    public void A_mode_does_not_remove_its_own(string mode)
    {
        Assert.Empty(Subjects(ProxyBackends.CleanersAtStart(Configuration(mode))).Intersect(Taken[mode]));
    }

    [Fact]
    public void Cleanup_removes_what_all_leave()
    {
        Assert.Empty(Left.Values.SelectMany(left => left).Except(Subjects(ProxyBackends.Cleaners(Configuration(ProxyMode.Nftables)))));
    }

    /// <summary>What is referred to cannot go before what refers to it, and what a sysctl was is told by the chains.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void What_refers_to_something_goes_first(string mode, string other)
    {
        _ = other;
        foreach (var cleaners in new[] { ProxyBackends.CleanersAtStart(Configuration(mode)), ProxyBackends.Cleaners(Configuration(mode)) })
        {
            var order = cleaners.Select(cleaner => cleaner.Subject).ToList();
            foreach (var referred in new[] { "nfacct", "ipsets", "sysctls" }.Where(order.Contains))
            {
                Assert.True(order.IndexOf("iptables") < order.IndexOf(referred), string.Join(' ', order));
                Assert.True(order.IndexOf("ipvs") < order.IndexOf(referred), string.Join(' ', order));
            }
        }
    }

    [Fact]
    public void What_only_lies_about_is_no_rival()
    {
        var harmless = ProxyBackends.Cleaners(Configuration(ProxyMode.Nftables)).Where(cleaner => !cleaner.CanWin).Select(cleaner => cleaner.Subject);
        Assert.Equal(["ipsets", "nfacct", "sysctls"], harmless.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Only_what_a_mode_sets_and_others_put_back_is_noted()
    {
        Assert.Equal(["route_localnet"], Names(ProxyMode.Iptables, _ => { }));
        Assert.Empty(Names(ProxyMode.Iptables, configuration => configuration.Iptables.LocalhostNodePorts = false));
        Assert.Empty(Names(ProxyMode.Nftables, _ => { }));
        Assert.Empty(Names(ProxyMode.Userspace, _ => { }));
        // Not ip_forward: who finds it on relies on it.
        Assert.Equal(["conn_reuse_mode", "conntrack", "expire_nodest_conn", "expire_quiescent_template"], Names(ProxyMode.Ipvs, _ => { }));
        Assert.Contains("arp_announce", Names(ProxyMode.Ipvs, configuration => configuration.Ipvs.StrictARP = true));
    }

    private static IEnumerable<string> Names(string mode, Action<KubeProxyConfiguration> change)
    {
        var configuration = Configuration(mode);
        change(configuration);
        return ProxyBackends.SysctlsOf(configuration).Select(sysctl => Path.GetFileName(sysctl.Path)).Order(StringComparer.Ordinal);
    }

    private static HashSet<string> Subjects(IEnumerable<IRuleCleaner> cleaners) => [.. cleaners.Select(cleaner => cleaner.Subject)];

    private static KubeProxyConfiguration Configuration(string mode) => ConfigurationDefaults.Apply(new KubeProxyConfiguration { Mode = mode });
}
