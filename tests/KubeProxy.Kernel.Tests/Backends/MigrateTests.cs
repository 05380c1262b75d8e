using System.Text.Json;

namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>The program looks at a node, and changes nothing.</summary>
[Collection("proxy processes")]
public sealed class MigrateTests : IDisposable
{
    private readonly NetworkNamespace _node = NetworkNamespace.Create();
    private readonly Manifests _manifests = new();

    [Fact]
    public void The_hosts_firewall_and_the_rules_of_others_are_found_and_nothing_is_changed()
    {
        _manifests.Service("web", "10.96.0.10", 30080);
        _manifests.Endpoints("web", 0);
        _node.Exec("iptables", "-P", "FORWARD", "DROP");
        _node.Exec("iptables", "-N", "HOST");
        _node.Exec("iptables", "-A", "FORWARD", "-j", "HOST");
        _node.Exec("iptables", "-A", "HOST", "-p", "tcp", "-j", "REJECT", "--reject-with", "icmp-host-prohibited");
        _node.Exec("iptables", "-t", "nat", "-N", "KUBE-MARK-MASQ");
        _node.Exec("iptables", "-t", "nat", "-N", "HOSTPORTS");
        _node.Exec("iptables", "-t", "nat", "-A", "HOSTPORTS", "-j", "KUBE-MARK-MASQ");
        var before = _node.Exec("nft", "list", "ruleset");

        using var report = Migrate(expectedCode: 1, "--to", "nftables");
        Assert.Equal("policy DROP, rules that drop or reject: 1", Subject(report, "forward-firewall").GetProperty("detail").GetString());
        Assert.Equal("iptables -t nat -A HOSTPORTS -j KUBE-MARK-MASQ", Subject(report, "foreign-jumps").GetProperty("name").GetString());
        Assert.Equal("default/web", Subject(report, "localhost-node-ports").GetProperty("name").GetString());
        Assert.Equal(before, _node.Exec("nft", "list", "ruleset"));
    }

    public void Dispose()
    {
        _node.Dispose();
        _manifests.Dispose();
    }

    private JsonDocument Migrate(int expectedCode, params string[] arguments)
    {
        using var process = _node.Start(
            ProxyProcess.Executable,
            ["migrate", "--output", "json", "--proxy-mode", "iptables", "--hostname-override", "node1", "--manifests", _manifests.Objects, .. arguments]);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(expectedCode, process.ExitCode);
        return JsonDocument.Parse(output);
    }

    private static JsonElement Subject(JsonDocument report, string id) => report.RootElement.GetProperty("findings").EnumerateArray()
        .First(finding => finding.GetProperty("id").GetString() == id).GetProperty("subjects")[0];
}
