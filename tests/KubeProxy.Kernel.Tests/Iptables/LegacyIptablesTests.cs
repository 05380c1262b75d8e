using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Iptables.Legacy;

namespace KubeProxy.Kernel.Tests.Iptables;

public class LegacyIptablesTests
{
    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public async Task Chains_of_a_kube_proxy_are_refused_until_they_are_gone(IpFamily family)
    {
        using var ns = IptablesNode.CreateNamespace();
        var tool = ToolOf(ns, family);
        foreach (var arguments in new[]
        {
            "-t nat -N KUBE-SERVICES", "-t nat -N KUBE-SVC-XPGD46QRK7WJZT7O", "-t nat -A PREROUTING -m comment --comment portals -j KUBE-SERVICES",
            "-t nat -A KUBE-SERVICES -p tcp -m tcp --dport 80 -m comment --comment a -j KUBE-SVC-XPGD46QRK7WJZT7O", "-N mine", "-A INPUT -j mine",
        })
            ns.Exec(tool, arguments.Split(' '));
        Assert.Equal(
            [new LegacyChain("filter", "mine"), new LegacyChain("nat", "KUBE-SERVICES"), new LegacyChain("nat", "KUBE-SVC-XPGD46QRK7WJZT7O")],
            ns.Run(() => LegacyTables.ReadChains(family)).OrderBy(chain => chain.Table).ThenBy(chain => chain.Name));

        await using (var refused = new IptablesNode(ns, family, ownsNamespace: false))
        {
            var e = await Assert.ThrowsAsync<ProxyBackendException>(() => refused.StartAsync());
            Assert.Contains($"{tool} (nat KUBE-SERVICES, nat KUBE-SVC-XPGD46QRK7WJZT7O)", e.Message, StringComparison.Ordinal);
        }

        // As the message says.
        var left = ns.Exec(tool + "-save").Split('\n').Where(line => !line.Contains("KUBE-", StringComparison.Ordinal));
        ns.ExecWithInput(string.Join('\n', left), tool + "-restore");
        await using var accepted = new IptablesNode(ns, family, ownsNamespace: false);
        await accepted.StartAsync();
        await accepted.FirstSyncAsync();
        Assert.Contains("-A INPUT -j mine", ns.Exec(tool + "-save"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chains_of_kubelet_and_others_are_not_refused()
    {
        using var ns = IptablesNode.CreateNamespace();
        var tool = ToolOf(ns, IpFamily.IPv4);
        foreach (var arguments in new[] { "-N KUBE-FIREWALL", "-t mangle -N KUBE-KUBELET-CANARY", "-t nat -N DOCKER", "-t raw -N KUBE-SERVICES" })
            ns.Exec(tool, arguments.Split(' '));
        Assert.Equal(4, ns.Run(() => LegacyTables.ReadChains(IpFamily.IPv4)).Count);
        await using var node = new IptablesNode(ns, ownsNamespace: false);
        await node.StartAsync();
    }

    [Fact]
    public void Looking_makes_no_tables()
    {
        using var ns = NetworkNamespace.Create();
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 }) Assert.Empty(ns.Run(() => LegacyTables.ReadChains(family)));
        foreach (var file in new[] { "ip_tables_names", "ip6_tables_names" })
            Assert.Empty(ns.Run(() => File.Exists($"/proc/thread-self/net/{file}") ? File.ReadAllText($"/proc/thread-self/net/{file}") : ""));
    }

    private static string ToolOf(NetworkNamespace ns, IpFamily family)
    {
        var tool = family == IpFamily.IPv4 ? "iptables-legacy" : "ip6tables-legacy";
        try
        {
            ns.Exec(tool, "-t", "nat", "-S");
        }
        catch (InvalidOperationException e) when (e.Message.Contains("does not exist", StringComparison.Ordinal))
        {
            Assert.Skip($"the kernel has no tables of {tool}");
        }

        return tool;
    }
}
