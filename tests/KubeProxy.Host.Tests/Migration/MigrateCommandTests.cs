using System.Collections.Immutable;
using System.Text.Json;
using KubeProxy.Core.Model;
using KubeProxy.Host.Composition;
using KubeProxy.Host.Migration;
using KubeProxy.Netfilter.Iptables.Legacy;

namespace KubeProxy.Host.Tests.Migration;

/// <summary>The command, but for the kernel: what is found on the node is given.</summary>
public sealed class MigrateCommandTests : ProgramTests
{
    private static readonly NodeFacts Plain = new()
    {
        Kernel = new Version(6, 18),
        Addresses = [IpAddr.Parse("127.0.0.1"), IpAddr.Parse("192.0.2.1")],
        HostChains = new([]),
        ForeignJumps = new([]),
        LegacyChains = new([]),
        HasIpvs = new(true),
        LoopbackPackets = new(0),
        Connections = new(ImmutableDictionary<NodePortAddress, int>.Empty),
    };

    private static readonly IpAddr Secondary = IpAddr.Parse("198.51.100.7");

    [Fact]
    public async Task A_cluster_without_anything_special_has_nothing_to_decide()
    {
        WriteFile("m/web.yaml", Node + Service("{type: ClusterIP, clusterIP: 10.96.0.10, ports: [{port: 80}]}"));
        Assert.Equal(0, await MigrateAsync(Plain, "iptables", "nftables"));
        Assert.StartsWith("From mode iptables to nftables on node node1, 1 service port: nothing to decide about.\n", Output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0UL, false, "note", 0)]
    [InlineData(3UL, false, "decide", 1)]
    [InlineData(null, false, "decide", 1)]
    [InlineData(0UL, true, "decide", 1)]
    public async Task Node_ports_on_loopback_matter_unless_nobody_used_them(ulong? packets, bool tracked, string severity, int code)
    {
        WriteFile("m/web.yaml", Node + Service(NodePortSpec));
        var facts = Plain with { LoopbackPackets = new(packets) };
        if (tracked) facts = facts with { Connections = Tracked("127.0.0.1") };
        Assert.Equal(code, await MigrateAsync(facts, "iptables", "nftables", "--output", "json"));
        var finding = Find("localhost-node-ports");
        Assert.Equal(severity, finding.GetProperty("severity").GetString());
        var subject = finding.GetProperty("subjects")[0];
        Assert.Equal("default/web", subject.GetProperty("name").GetString());
        Assert.Contains(tracked ? "30080/tcp, in use: 2 tracked" : "30080/tcp, no tracked", subject.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{{", "bad.yaml")]
    [InlineData("{apiVersion: v1, kind: Service, metadata: {name: odd, namespace: default}, spec: {clusterIP: 10.96.0.9, ports: [{port: 80, nodePort: \"31555\"}]}}", "odd")]
    public async Task What_cannot_be_read_is_named_and_cannot_be_told(string text, string named)
    {
        WriteFile("m/web.yaml", Node + Service("{type: ClusterIP, clusterIP: 10.96.0.10, ports: [{port: 80}]}"));
        WriteFile("m/bad.yaml", text);
        Assert.Equal(2, await MigrateAsync(Plain, "iptables", "nftables"));
        Assert.Contains("1 service port: nothing to decide about", Output.ToString(), StringComparison.Ordinal);
        Assert.Contains(named, Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_node_ports_on_loopback_before_nothing_changes_there()
    {
        WriteFile("m/web.yaml", Node + Service(NodePortSpec));
        Assert.Equal(0, await MigrateAsync(Plain, "iptables", "nftables", "--output", "json", "--iptables-localhost-nodeports=false"));
        Assert.Null(TryFind("localhost-node-ports"));
    }

    [Theory]
    [InlineData("KubeProxyNFTablesLocalhostNodePorts=true", "primary,localhost", true)]
    [InlineData("KubeProxyNFTablesLocalhostNodePorts=true", "all", false)]
    [InlineData("KubeProxyNFTablesLocalhostNodePorts=false", "primary,localhost", false)]
    public async Task Node_ports_on_loopback_stay_open_where_the_gate_and_the_list_say_so(string gates, string addresses, bool open)
    {
        WriteFile("m/web.yaml", Node + Service(NodePortSpec));
        await MigrateAsync(Plain, "iptables", "nftables", "--output", "json", "--feature-gates=" + gates, "--nodeport-addresses=" + addresses);
        Assert.Equal(open, TryFind("localhost-node-ports") is null);
    }

    [Fact]
    public async Task Addresses_that_close_and_open_are_named_with_their_services()
    {
        WriteFile("m/web.yaml", Node + Service(NodePortSpec));
        var facts = Plain with { Addresses = [.. Plain.Addresses, Secondary], Connections = Tracked("198.51.100.7") };
        Assert.Equal(1, await MigrateAsync(facts, "iptables", "nftables", "--output", "json"));
        var closed = Assert.Single(Find("node-port-addresses-closed").GetProperty("subjects").EnumerateArray());
        Assert.Equal("node port 30080/tcp, on 198.51.100.7, in use: 2 tracked", closed.GetProperty("detail").GetString());

        Assert.Equal(1, await MigrateAsync(facts, "nftables", "ipvs", "--output", "json"));
        Assert.Single(Find("node-port-addresses-opened").GetProperty("subjects").EnumerateArray());

        Assert.Equal(0, await MigrateAsync(facts, "nftables", "iptables", "--output", "json", "--nodeport-addresses=192.0.2.0/24"));
        Assert.Null(TryFind("node-port-addresses-opened"));
    }

    [Fact]
    public async Task The_hosts_firewall_matters_where_the_old_mode_went_before_it()
    {
        WriteFile("m/web.yaml", Node + Web(check: 31000));
        var facts = Plain with
        {
            HostChains = new([new HostChain(IpFamily.IPv4, HostChain.Forward, DropsByPolicy: true, Refusals: 2), new HostChain(IpFamily.IPv4, HostChain.Input, true, 0)]),
        };
        Assert.Equal(1, await MigrateAsync(facts, "iptables", "nftables", "--output", "json"));
        Assert.Equal("policy DROP, rules that drop or reject: 2", Find("forward-firewall").GetProperty("subjects")[0].GetProperty("detail").GetString());
        var health = Find("health-check-firewall").GetProperty("subjects");
        Assert.Equal("health check node port 31000/tcp", health[1].GetProperty("detail").GetString());

        Assert.Equal(0, await MigrateAsync(facts, "nftables", "iptables", "--output", "json", "--nodeport-addresses=192.0.2.0/24"));
        Assert.Null(TryFind("forward-firewall"));
    }

    [Fact]
    public async Task Schedulers_timeouts_and_affinity_are_named_when_ipvs_goes()
    {
        WriteFile("m/web.yaml", Node
            + Service("{type: ClusterIP, clusterIP: 10.96.0.10, sessionAffinity: ClientIP, ports: [{port: 80}]}", "annotations: {kube-proxy/ipvs-scheduler: lc}, "));
        Assert.Equal(1, await MigrateAsync(Plain, "ipvs", "nftables", "--output", "json", "--ipvs-tcp-timeout=900s"));
        Assert.Equal("scheduler lc", Find("schedulers").GetProperty("subjects")[0].GetProperty("detail").GetString());
        Assert.Equal("ipvs.tcpTimeout", Find("ipvs-timeouts").GetProperty("subjects")[0].GetProperty("name").GetString());
        Assert.Equal("timeout 10800 s", Find("session-affinity").GetProperty("subjects")[0].GetProperty("detail").GetString());
        Assert.Equal("decide", Find("connections").GetProperty("severity").GetString());
        Assert.Equal("note", Find("local-addresses").GetProperty("severity").GetString());
    }

    [Fact]
    public async Task Load_balancer_addresses_without_strict_arp_matter_when_ipvs_comes()
    {
        WriteFile("m/web.yaml", Node + Web(check: 31000));
        Assert.Equal(1, await MigrateAsync(Plain, "nftables", "ipvs", "--output", "json"));
        Assert.Equal("198.51.100.1", Find("local-addresses").GetProperty("subjects")[0].GetProperty("detail").GetString());
        await MigrateAsync(Plain, "nftables", "ipvs", "--output", "json", "--ipvs-strict-arp");
        Assert.Equal("note", Find("local-addresses").GetProperty("severity").GetString());
        Assert.Equal(1, await MigrateAsync(Plain with { HasIpvs = new(false) }, "nftables", "ipvs", "--output", "json"));
        Assert.Equal("decide", Find("ipvs").GetProperty("severity").GetString());
    }

    [Fact]
    public async Task Userspace_relays_serve_no_sctp_and_hide_sources()
    {
        WriteFile("m/web.yaml", Node + Service("{type: ClusterIP, clusterIP: 10.96.0.10, ports: [{port: 80, protocol: SCTP}]}"));
        Assert.Equal(1, await MigrateAsync(Plain, "nftables", "userspace", "--output", "json"));
        Assert.Equal("default/web", Find("sctp").GetProperty("subjects")[0].GetProperty("name").GetString());
        Assert.Equal("decide", Find("source-addresses").GetProperty("severity").GetString());
    }

    [Fact]
    public async Task Rules_of_legacy_tables_and_of_others_are_named()
    {
        WriteFile("m/web.yaml", Node + Service(NodePortSpec));
        var facts = Plain with { LegacyChains = new([new LegacyChain("nat", "KUBE-SERVICES")]), ForeignJumps = new(["iptables -t nat -A CNI-X -j KUBE-MARK-MASQ"]) };
        Assert.Equal(1, await MigrateAsync(facts, "iptables", "nftables", "--output", "json"));
        Assert.Equal("nat KUBE-SERVICES", Find("legacy-rules").GetProperty("subjects")[0].GetProperty("name").GetString());
        Assert.Equal("iptables -t nat -A CNI-X -j KUBE-MARK-MASQ", Find("foreign-jumps").GetProperty("subjects")[0].GetProperty("name").GetString());
        Assert.Equal(1, await MigrateAsync(Plain with { Kernel = new Version(4, 19) }, "iptables", "nftables", "--output", "json"));
        Find("kernel-version");
    }

    [Fact]
    public async Task Sections_of_the_modes_that_differ_are_named()
    {
        WriteFile("m/web.yaml", Node + Service(NodePortSpec));
        var config = WriteFile("iptables.yaml", """
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            hostnameOverride: node1
            iptables: {masqueradeAll: true, masqueradeBit: 13}
            """);
        Assert.Equal(1, await new ProxyProgram(With(Plain)).RunAsync(
            ["migrate", "--to=nftables", "--output=json", "--config", config, "--manifests", Path.Combine(Directory, "m")], TestContext.Current.CancellationToken));
        Find("masquerade-all");
        Find("masquerade-bit");
    }

    [Fact]
    public async Task What_cannot_be_read_cannot_be_told()
    {
        WriteFile("m/web.yaml", Node + Service(NodePortSpec));
        var facts = Plain with { HostChains = Fact<ImmutableArray<HostChain>>.Unknown("nf_tables: permission denied") };
        Assert.Equal(2, await MigrateAsync(facts, "iptables", "nftables"));
        Assert.Contains("[unknown] nf-tables: Whether the kernel has nf_tables cannot be told: nf_tables: permission denied.", Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Node_that_is_not_there_cannot_be_told()
    {
        WriteFile("m/web.yaml", Node.Replace("node1", "node7", StringComparison.Ordinal) + Service("{type: ClusterIP, clusterIP: 10.96.0.10, ports: [{port: 80}]}"));
        Assert.Equal(2, await MigrateAsync(Plain, "iptables", "nftables"));
        Assert.Contains("kube-proxy migrate: there is no Node node1; ", Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kubeconfig_that_is_not_there_is_named()
    {
        Assert.Equal(2, await RunAsync("migrate", "--to=nftables", "--kubeconfig=/nonexistent"));
        Assert.Contains("kube-proxy migrate: clientConnection.kubeconfig (--kubeconfig) /nonexistent: ", Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_that_do_not_come_and_a_wrong_command_line_end_with_2()
    {
        Assert.Equal(2, await RunAsync("migrate", "--to=nftables", "--manifests", Path.Combine(Directory, "missing"), "--timeout=50ms"));
        Assert.Contains("missing", Errors.ToString(), StringComparison.Ordinal);
        string[][] wrong =
        [
            ["--to=nothing"], [], ["--to=iptables"], ["--to=nftables", "--output=xml"], ["--to=nftables", "--timeout=never"], ["--nonsense"],
            ["--to=nftables", "--config=/nonexistent"],
        ];
        foreach (var arguments in wrong) Assert.Equal(2, await RunAsync(["migrate", .. arguments]));
        Assert.Equal(0, await RunAsync("migrate", "--help"));
        Assert.Contains("--to\n", Output.ToString(), StringComparison.Ordinal);
    }

    private const string Node = "apiVersion: v1\nkind: Node\nmetadata: {name: node1}\nstatus: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n---\n";

    private const string NodePortSpec = "{type: NodePort, clusterIP: 10.96.0.10, ports: [{port: 80, nodePort: 30080}]}";

    private static string Service(string spec, string metadata = "") => $$"""
        apiVersion: v1
        kind: Service
        metadata: { {{metadata}}name: web, namespace: default }
        spec: {{spec}}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web} }
        addressType: IPv4
        ports: [{port: 8080, name: "", protocol: {{(spec.Contains("SCTP", StringComparison.Ordinal) ? "SCTP" : "TCP")}}}]
        endpoints: [{addresses: [10.244.1.1], nodeName: node1}]
        """;

    private static Fact<ImmutableDictionary<NodePortAddress, int>> Tracked(string address) => new(
        ImmutableDictionary<NodePortAddress, int>.Empty.Add(new NodePortAddress(IpAddr.Parse(address), Protocol.Tcp, 30080), 2));

    private ProxyParts With(NodeFacts facts) => Parts() with { ReadNodeFacts = (_, _) => Task.FromResult(facts) };

    private Task<int> MigrateAsync(NodeFacts facts, string from, string to, params string[] more)
    {
        Output.GetStringBuilder().Clear();
        return new ProxyProgram(With(facts)).RunAsync(
            ["migrate", $"--to={to}", $"--proxy-mode={from}", "--hostname-override=node1", "--manifests", Path.Combine(Directory, "m"), .. more],
            TestContext.Current.CancellationToken);
    }

    private JsonElement Find(string id) => TryFind(id) ?? throw new InvalidOperationException($"There is no {id} in {Output}");

    private JsonElement? TryFind(string id)
    {
        var findings = JsonDocument.Parse(Output.ToString()).RootElement.GetProperty("findings").EnumerateArray();
        return findings.Where(finding => finding.GetProperty("id").GetString() == id).Select(finding => (JsonElement?)finding).FirstOrDefault();
    }
}
