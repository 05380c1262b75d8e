using System.Diagnostics;
using System.Net;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The program beside the rules of another proxy, or of another mode.</summary>
[Collection("proxy processes")]
public sealed class RivalTests : IDisposable
{
    private readonly NetworkNamespace _node = NetworkNamespace.Create();
    private Manifests _manifests = new();

    public void Dispose()
    {
        _node.Dispose();
        _manifests.Dispose();
    }

    /// <summary>The mode, how the rules come, what is said of them, and how they go.</summary>
    public static TheoryData<string, string[], string, string[]> Rivals { get; } = new()
    {
        {
            "nftables",
            ["iptables-legacy -t nat -N KUBE-SERVICES", "iptables-legacy -t nat -A PREROUTING -j KUBE-SERVICES"],
            "rules of a kube-proxy in the tables of iptables-legacy (nat KUBE-SERVICES)",
            ["sh -c", "iptables-legacy-save | grep -v KUBE- | iptables-legacy-restore"]
        },
        {
            "userspace",
            ["ip6tables-legacy -t nat -N KUBE-SVC-XPGD46QRK7WJZT7O"],
            "rules of a kube-proxy in the tables of ip6tables-legacy (nat KUBE-SVC-XPGD46QRK7WJZT7O)",
            ["sh -c", "ip6tables-legacy-save | grep -v KUBE- | ip6tables-legacy-restore"]
        },
        {
            "iptables",
            ["iptables-legacy -t filter -N KUBE-EXTERNAL-SERVICES"],
            "rules of a kube-proxy in the tables of iptables-legacy (filter KUBE-EXTERNAL-SERVICES)",
            ["sh -c", "iptables-legacy-save | grep -v KUBE- | iptables-legacy-restore"]
        },
        {
            "nftables",
            ["iptables-nft -t nat -N KUBE-SERVICES", "iptables-nft -t nat -A OUTPUT -m comment --comment portals -j KUBE-SERVICES"],
            "rules of a kube-proxy in iptables or ipvs mode (iptables -t nat OUTPUT leads to KUBE-SERVICES)",
            ["iptables-nft -t nat -F OUTPUT"]
        },
        {
            "userspace",
            ["ip6tables-nft -N KUBE-NODE-PORT", "ip6tables-nft -A INPUT -j KUBE-NODE-PORT"],
            "rules of a kube-proxy in iptables or ipvs mode (ip6tables -t filter INPUT leads to KUBE-NODE-PORT)",
            ["ip6tables-nft -F INPUT"]
        },
        {
            "iptables",
            ["nft add table ip kube-proxy", "nft add table ip6 kube-proxy"],
            "rules of a kube-proxy in nftables, userspace or ipvs mode (table ip kube-proxy, table ip6 kube-proxy)",
            ["nft delete table ip kube-proxy", "nft delete table ip6 kube-proxy"]
        },
        {
            "nftables",
            ["ip link add kube-ipvs0 type veth peer name other", "ip addr add 10.96.0.10/32 dev kube-ipvs0"],
            "virtual services of a kube-proxy in ipvs mode (interface kube-ipvs0 with 1 addresses)",
            ["ip link del kube-ipvs0"]
        },
    };

    [Theory]
    [MemberData(nameof(Rivals))]
    public async Task Rules_of_others_are_told_while_they_are_there(string mode, string[] come, string said, string[] go)
    {
        SkipWithoutLegacy(come[0]);
        _manifests.Dispose();
        _manifests = new Manifests { Mode = mode };
        using var proxy = ProxyProcess.Start(_node, _manifests);
        await proxy.WaitReadyAsync();
        Run(come);
        await HostTests.EventuallyAsync(async () => (await ReadyAsync(proxy)).Contains(said + " can win over those of this proxy", StringComparison.Ordinal));
        using (var status = await proxy.TryGetAsync(10249, "/status"))
            Assert.Contains(said, await status!.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await HostTests.EventuallyAsync(() => Task.FromResult(proxy.Log.Contains("Not ready: " + said, StringComparison.Ordinal)));
        Run(go);
        await HostTests.EventuallyAsync(async () => await ReadyAsync(proxy) == "ok");
        await HostTests.EventuallyAsync(() => Task.FromResult(proxy.Log.Contains("Ready again", StringComparison.Ordinal)));
        Assert.Equal(2, proxy.Log.Split(said).Length); // Once.
    }

    [Fact]
    public async Task Chains_of_kubelet_and_others_are_no_rivals()
    {
        SkipWithoutLegacy("iptables-legacy");
        Run(
            "iptables-legacy -N KUBE-FIREWALL", "iptables-legacy -t mangle -N KUBE-KUBELET-CANARY", "iptables-legacy -t nat -N KUBE-MARK-MASQ",
            "iptables-legacy -t nat -N KUBE-POSTROUTING", "iptables-legacy -t nat -N DOCKER", "iptables-nft -N KUBE-FIREWALL", "iptables-nft -A INPUT -j KUBE-FIREWALL",
            "iptables-nft -t nat -N DOCKER", "iptables-nft -t nat -A PREROUTING -j DOCKER", "nft add table ip other");
        using var proxy = ProxyProcess.Start(_node, _manifests);
        await proxy.WaitReadyAsync();
        Assert.Equal("ok", await ReadyAsync(proxy));
    }

    [Fact]
    public void Cleanup_fails_and_names_what_it_cannot_remove()
    {
        SkipWithoutLegacy("iptables-legacy");
        Run("iptables-legacy -t nat -N KUBE-SERVICES", "ip6tables-legacy -t nat -N KUBE-SERVICES");
        var failure = Assert.Throws<InvalidOperationException>(() => _node.Exec(ProxyProcess.Executable, "--cleanup"));
        foreach (var tool in new[] { "iptables-legacy", "ip6tables-legacy" })
        {
            Assert.Contains($"the tables of {tool} (nat KUBE-SERVICES)", failure.Message, StringComparison.Ordinal);
            Assert.Contains($"{tool}-save | grep -v KUBE- | {tool}-restore", failure.Message, StringComparison.Ordinal);
        }

        Run("iptables-legacy -t nat -X KUBE-SERVICES", "ip6tables-legacy -t nat -X KUBE-SERVICES");
        _node.Exec(ProxyProcess.Executable, "--cleanup");
    }

    [Theory]
    [InlineData("nftables", "nft flush table ip kube-proxy")]
    [InlineData("iptables", "iptables-nft -t nat -F KUBE-SERVICES")]
    public async Task Who_changes_the_rules_again_and_again_is_named(string mode, string change)
    {
        _manifests.Dispose();
        _manifests = new Manifests { Mode = mode };
        _manifests.Service("web", "10.96.0.10");
        _manifests.Endpoints("web", 0);
        using var proxy = ProxyProcess.Start(_node, _manifests);
        await proxy.WaitReadyAsync();
        for (var i = 0; i < 3; i++)
        {
            var repairs = await RepairsAsync(proxy);
            Run(change);
            await HostTests.EventuallyAsync(async () => await RepairsAsync(proxy) > repairs);
        }

        var answer = await ReadyAsync(proxy);
        Assert.Contains("IPv4: the rules were changed by others and repaired 3 times in the last two minutes (last: the nftables table was changed by ", answer, StringComparison.Ordinal);
        Assert.Contains($" by {change.Split(' ')[0]} (pid ", answer, StringComparison.Ordinal);
        Assert.Contains("two proxies run on this node", answer, StringComparison.Ordinal);
    }

    /// <summary>The kernel refuses the table while another process owns it: alive, but nothing is programmed.</summary>
    [Fact]
    public async Task A_proxy_that_cannot_program_anything_is_not_healthy()
    {
        using var owner = new Process { StartInfo = OwnerOfTable() };
        owner.Start();
        try
        {
            await HostTests.EventuallyAsync(() => Task.FromResult(_node.Exec("nft", "list", "tables").Contains("kube-proxy", StringComparison.Ordinal)));
            using var proxy = ProxyProcess.Start(_node, _manifests);
            await HostTests.EventuallyAsync(async () => (await TextAsync(proxy, 10256, "/healthz")).Contains("nothing has been programmed yet: ", StringComparison.Ordinal));
            using var healthz = await proxy.TryGetAsync(10256, "/healthz");
            using var livez = await proxy.TryGetAsync(10256, "/livez");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (healthz!.StatusCode, livez!.StatusCode));
        }
        finally
        {
            owner.Kill();
        }

        ProcessStartInfo OwnerOfTable() => new("ip", ["netns", "exec", _node.Name, "sh", "-c", "{ echo 'add table ip kube-proxy { flags owner; }'; sleep 60; } | exec nft -i"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
    }

    private static Task<string> ReadyAsync(ProxyProcess proxy) => TextAsync(proxy, 10249, "/readyz");

    private static async Task<string> TextAsync(ProxyProcess proxy, int port, string path)
    {
        using var response = await proxy.TryGetAsync(port, path);
        return response is null ? "" : await response.Content.ReadAsStringAsync();
    }

    private static Task<double> RepairsAsync(ProxyProcess proxy) => proxy.MetricAsync("kubeproxy_sync_repairs_total");

    /// <summary>Runs commands; what follows <c>sh -c</c> is one command of a shell.</summary>
    private void Run(params string[] commands)
    {
        if (commands is ["sh -c", var script]) _node.Exec("sh", "-c", script);
        else foreach (var command in commands) _node.Exec(command.Split(' ')[0], command.Split(' ')[1..]);
    }

    private void SkipWithoutLegacy(string command)
    {
        var tool = command.Split(' ')[0];
        if (!tool.EndsWith("-legacy", StringComparison.Ordinal)) return;
        try
        {
            _node.Exec(tool, "-t", "nat", "-S");
        }
        catch (InvalidOperationException e) when (e.Message.Contains("does not exist", StringComparison.Ordinal))
        {
            Assert.Skip($"the kernel has no tables of {tool}");
        }
    }
}
