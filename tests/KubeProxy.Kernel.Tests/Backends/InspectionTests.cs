namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The program at work, asked over its socket, and its rules compared with the objects when it has ended.</summary>
[Collection("proxy processes")]
public sealed class InspectionTests : IDisposable
{
    private readonly NetworkNamespace _node = NetworkNamespace.Create();

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData("nftables")]
    [InlineData("iptables")]
    [InlineData("userspace")]
    public async Task A_settled_node_has_no_difference_whatever_happened_before(string mode)
    {
        using var manifests = Web(mode);
        var socket = Path.Combine(manifests.Directory, "control.sock");
        using var proxy = ProxyProcess.Start(_node, ["--config", manifests.Configuration(), "--manifests", manifests.Objects, "--socket", socket]);
        await proxy.WaitReadyAsync();
        Assert.Equal((0, ""), Ask("diff", "--socket", socket));

        foreach (var pods in new int[][] { [1, 2], [0, 1, 2], [2], [] })
        {
            manifests.Endpoints("web", pods);
            manifests.Service($"more-{pods.Length}", $"10.96.0.{20 + pods.Length}");
        }

        // Objects are known a moment before the kernel has what they say.
        await HostTests.EventuallyAsync(() => Task.FromResult(Ask("status", "--socket", socket).Output.Contains("5 Services, 0 endpoints", StringComparison.Ordinal)));
        await HostTests.EventuallyAsync(() => Task.FromResult(Ask("explain", "node:30080", "--kernel", "--socket", socket).Output.EndsWith("\nkernel: as planned\n", StringComparison.Ordinal)));
        Assert.Equal((0, ""), Ask("diff", "--socket", socket));
        Assert.Equal(0, Ask("status", "--socket", socket).Code);
        var (code, text) = Ask("explain", "node:30080", "--kernel", "--socket", socket);
        Assert.Equal(1, code);
        Assert.StartsWith("default/web 80/tcp, IPv4: REFUSED\n  why: no EndpointSlice of the Service has an endpoint in this family: connections are refused\n", text, StringComparison.Ordinal);
        Assert.Matches(@"\n  since: \S+Z .*default/web", text);
        Assert.EndsWith("\nkernel: as planned\n", text, StringComparison.Ordinal);
        Assert.Equal(0, proxy.Terminate());
    }

    [Fact]
    public async Task One_changed_element_is_named()
    {
        using var manifests = Web("nftables");
        await RunOnceAsync(manifests);
        Assert.Equal((0, ""), Compare(manifests));
        _node.Exec("nft", "delete", "element", "ip", "kube-proxy", "endpoints", "{ 10.96.0.10 . tcp . 80 . 0 }");
        Assert.Equal((1, "IPv4 missing element ip kube-proxy endpoints 10.96.0.10 . tcp . 80 . 0 : 10.244.0.2 . 8080\n"), Compare(manifests));
        _node.Exec("nft", "add", "element", "ip", "kube-proxy", "endpoints", "{ 10.96.0.10 . tcp . 80 . 0 : 10.9.9.9 . 9 }");
        Assert.Equal((1, "IPv4 changed element ip kube-proxy endpoints 10.96.0.10 . tcp . 80 . 0 : 10.244.0.2 . 8080\n"), Compare(manifests));
    }

    [Fact]
    public async Task One_rule_of_iptables_is_named()
    {
        using var manifests = Web("iptables");
        await RunOnceAsync(manifests);
        Assert.Equal((0, ""), Compare(manifests));
        _node.Exec("nft", "add", "rule", "ip", "nat", "KUBE-MARK-MASQ", "accept");
        Assert.Equal((1, "IPv4 surplus iptables -t nat -A KUBE-MARK-MASQ -j ACCEPT\n"), Compare(manifests));
    }

    [Theory]
    [InlineData("nftables")]
    [InlineData("userspace")]
    public void What_plan_shows_is_loaded_by_nft(string mode)
    {
        using var manifests = Web(mode);
        var (code, text) = Ask("plan", "--config", manifests.Configuration(), "--manifests", manifests.Objects);
        Assert.Equal(0, code);
        var tables = string.Concat(text.Split("\n# ").Where(section => section.Contains(": nft -f\n", StringComparison.Ordinal)).Select(section => section[(section.IndexOf('\n', StringComparison.Ordinal) + 1)..] + "\n"));
        // A table with an owner cannot be made by a program that ends.
        _node.ExecWithInput(tables.Replace("flags owner\n", "\n", StringComparison.Ordinal), "nft", "-f", "-");
        Assert.Contains("10.96.0.10 . tcp . 80", _node.Exec("nft", "list", "table", "ip", "kube-proxy"), StringComparison.Ordinal);
    }

    private static Manifests Web(string mode)
    {
        var manifests = new Manifests { Mode = mode };
        manifests.Service("web", "10.96.0.10", 30080);
        manifests.Endpoints("web", 0, 1);
        return manifests;
    }

    private async Task RunOnceAsync(Manifests manifests)
    {
        using var proxy = ProxyProcess.Start(_node, manifests);
        await proxy.WaitReadyAsync();
        Assert.Equal(0, proxy.Terminate());
    }

    private (int Code, string Output) Compare(Manifests manifests) =>
        Ask("diff", "--offline", "--config", manifests.Configuration(), "--manifests", manifests.Objects);

    private (int Code, string Output) Ask(params string[] arguments)
    {
        using var process = _node.Start(ProxyProcess.Executable, arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
