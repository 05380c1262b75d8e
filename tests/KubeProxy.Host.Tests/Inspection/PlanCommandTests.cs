using System.Text.Json;
using KubeProxy.Host.Inspection;

namespace KubeProxy.Host.Tests.Inspection;

/// <summary><c>kube-proxy plan</c>, whole.</summary>
public sealed class PlanCommandTests : ProgramTests
{
    private const string Node = """
        apiVersion: v1
        kind: Node
        metadata: {name: node1}
        status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
        ---

        """;

    [Theory]
    [InlineData("nftables", "10.96.0.10 . tcp . 80 . 0 : 10.244.1.1 . 8080")]
    [InlineData("iptables", "-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment \"default/web cluster IP\" -m tcp --dport 80 -j KUBE-SVC-LOLE4ISW44XBNF3G\n")]
    [InlineData("ipvs", "-A -t 192.0.2.1:30080 -s rr\n-a -t 192.0.2.1:30080 -r 10.244.1.1:8080 -m -w 1\n")]
    [InlineData("ipvs", "ip address add 10.96.0.10/32 dev kube-ipvs0\n")]
    [InlineData("ipvs", "net.ipv4.vs.conntrack = 1\n")]
    [InlineData("userspace", "tproxy to 127.0.0.1:1 ")]
    public async Task Every_mode_is_shown_in_the_words_of_its_tools(string mode, string expected)
    {
        WriteFile("m/web.yaml", Node + Web(check: 31000));
        Assert.Equal(0, await PlanAsync("--proxy-mode", mode));
        Assert.StartsWith($"# mode {mode}, node node1\n\n# IPv4: ", Output.ToString(), StringComparison.Ordinal);
        Assert.Contains(expected, Output.ToString(), StringComparison.Ordinal);
        Assert.Equal("", Errors.ToString());
    }

    [Fact]
    public async Task Nothing_of_this_machine_is_in_it()
    {
        WriteFile("m/web.yaml", Node + Web(check: 31000));
        await PlanAsync("--proxy-mode", "ipvs");
        Assert.DoesNotContain("127.0.0.1", Output.ToString(), StringComparison.Ordinal);
        Assert.Empty(Backends);
    }

    [Fact]
    public async Task Programs_get_json()
    {
        WriteFile("m/web.yaml", Node + Web(check: 31000));
        Assert.Equal(0, await PlanAsync("--proxy-mode", "ipvs", "--output", "json"));
        using var json = JsonDocument.Parse(Output.ToString());
        Assert.Equal("ipvs", json.RootElement.GetProperty("mode").GetString());
        var sections = json.RootElement.GetProperty("families")[0].GetProperty("sections").EnumerateArray();
        Assert.Equal(["sysctl -p", "ip", "ipvsadm -R", "iptables-restore", "nft -f"], sections.Select(section => section.GetProperty("tool").GetString()));
    }

    [Fact]
    public async Task What_is_wrong_with_objects_is_said_and_what_cannot_be_read_is_an_error()
    {
        WriteFile("m/web.yaml", Node + Web(check: 31000).Replace("10.244.1.1", "127.0.0.1", StringComparison.Ordinal));
        Assert.Equal(0, await PlanAsync("--proxy-mode", "ipvs"));
        Assert.Contains("# problem: EndpointSlice default/web-1 endpoints[0].addresses: 127.0.0.1 is a loopback address; the endpoint is left out\n", Output.ToString(), StringComparison.Ordinal);

        WriteFile("m/bad.yaml", "{{{");
        Assert.Equal(2, await PlanAsync("--proxy-mode", "ipvs"));
        Assert.Contains("bad.yaml", Errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--output", "xml", "--output: expected text or json, found 'xml'")]
    [InlineData("--timeout", "0s", "--timeout: expected a duration greater than 0 such as 30s, found '0s'")]
    [InlineData("--proxy-mode", "magic", "magic")]
    [InlineData("--no-such", "x", "--no-such")]
    [InlineData("surplus", "x", "surplus")]
    [InlineData("--output", "\u001b[31mred", "\\x1b[31mred")]
    public async Task What_is_wrong_with_the_command_line_is_named(string flag, string value, string expected)
    {
        WriteFile("m/web.yaml", Node);
        Assert.Equal(2, await PlanAsync(flag, value));
        Assert.Contains(expected, Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hostile_names_do_nothing_to_a_terminal()
    {
        WriteFile("m/web.yaml", Node + Web(check: 31000).Replace("metadata: {name: web}", "metadata: {name: \"w\\u001b[2Jb\"}", StringComparison.Ordinal));
        await PlanAsync("--proxy-mode", "nftables");
        Assert.DoesNotContain('\u001b', Output.ToString());
        Assert.Contains("w\\x1b[2Jb", Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_names_its_flags()
    {
        Assert.Equal(0, await RunAsync("plan", "--help"));
        Assert.Contains("--node", Output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Exit code", Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_not_waited_for()
    {
        Assert.Equal(2, await RunAsync("plan", "--manifests", Path.Combine(Directory, "nonexistent"), "--node", "node1"));
        Assert.Contains($"--manifests: there is no directory '{Path.Combine(Directory, "nonexistent")}'", Errors.ToString(), StringComparison.Ordinal);
    }

    private Task<int> PlanAsync(params string[] more) => RunAsync(["plan", "--manifests", Path.Combine(Directory, "m"), "--node", "node1", .. more]);
}
