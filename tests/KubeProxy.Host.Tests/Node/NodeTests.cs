using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sources;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Composition;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Node;
using KubeProxy.Netfilter;
using KubeProxy.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Host.Tests.Node;

public sealed class NodeTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("kubeproxy-host").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static EffectiveConfiguration Configuration(Action<KubeProxyConfiguration> change)
    {
        var configuration = ConfigurationDefaults.Apply(new KubeProxyConfiguration { Mode = ProxyMode.Nftables });
        change(configuration);
        return EffectiveConfiguration.From(ConfigurationDefaults.ApplyPlatform(configuration));
    }

    private void Write(string path, string text)
    {
        var full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    private string Read(string path) => File.ReadAllText(Path.Combine(_root, path));

    [Theory]
    [InlineData(32768, 131072, 2, 131072)]
    [InlineData(32768, 131072, 8, 262144)]
    [InlineData(32768, 131072, 64, 1048576)]
    [InlineData(1, 2_000_000, 2, 2_000_000)]
    [InlineData(0, 131072, 2, null)]
    public void The_limit_grows_with_the_CPUs(int perCore, int min, int cpus, int? expected) =>
        Assert.Equal(expected, ConntrackSettings.Max(new ConntrackConfiguration { MaxPerCore = perCore, Min = min }, cpus));

    [Fact]
    public void Conntrack_values_are_written_where_they_differ_and_refusals_are_warnings()
    {
        const string Net = "proc/sys/net/netfilter/";
        Write(Net + "nf_conntrack_max", "5\n");
        Write("sys/module/nf_conntrack/parameters/hashsize", "5\n");
        Write(Net + "nf_conntrack_tcp_timeout_established", "3600\n");
        Write(Net + "nf_conntrack_udp_timeout", "1\n");
        var logger = new ListLogger<ConntrackSettings>();
        new ConntrackSettings(new KernelSettings(_root), logger).Apply(
            new ConntrackConfiguration
            {
                MaxPerCore = 1000, Min = 0, TcpEstablishedTimeout = GoDuration.FromSeconds(3600), TcpCloseWaitTimeout = GoDuration.FromSeconds(60),
                TcpBeLiberal = true, UdpTimeout = GoDuration.FromSeconds(7),
            },
            4);
        Assert.StartsWith("4000", Read(Net + "nf_conntrack_max"), StringComparison.Ordinal);
        Assert.StartsWith("1000", Read("sys/module/nf_conntrack/parameters/hashsize"), StringComparison.Ordinal);
        Assert.Equal("3600\n", Read(Net + "nf_conntrack_tcp_timeout_established"));
        Assert.StartsWith("7", Read(Net + "nf_conntrack_udp_timeout"), StringComparison.Ordinal);
        Assert.Equal(2, logger.Lines.Count(line => line.Level == LogLevel.Warning)); // close_wait and be_liberal do not exist
        Assert.Equal(3, logger.Lines.Count(line => line.Level == LogLevel.Information));
    }

    [Fact]
    public void A_higher_conntrack_limit_stays_and_only_that()
    {
        const string Net = "proc/sys/net/netfilter/";
        Write(Net + "nf_conntrack_max", "4001\n");
        Write("sys/module/nf_conntrack/parameters/hashsize", "5\n");
        Write(Net + "nf_conntrack_udp_timeout", "30\n");
        var logger = new ListLogger<ConntrackSettings>();
        var settings = new ConntrackSettings(new KernelSettings(_root), logger);
        var configuration = new ConntrackConfiguration { MaxPerCore = 1000, Min = 0, UdpTimeout = GoDuration.FromSeconds(7) };
        settings.Apply(configuration, 4);
        Assert.Equal(("4001\n", "5\n"), (Read(Net + "nf_conntrack_max"), Read("sys/module/nf_conntrack/parameters/hashsize")));
        Assert.StartsWith("7", Read(Net + "nf_conntrack_udp_timeout"), StringComparison.Ordinal);
        Assert.Single(logger.Lines);
        settings.Apply(configuration, 5);
        Assert.StartsWith("5000", Read(Net + "nf_conntrack_max"), StringComparison.Ordinal);
        Assert.StartsWith("1250", Read("sys/module/nf_conntrack/parameters/hashsize"), StringComparison.Ordinal);
    }

    [Fact]
    public void IPv6_needs_its_address_list_and_not_to_be_disabled()
    {
        Assert.False(Ipv6Support.IsAvailable(_root));
        Write("proc/net/if_inet6", "");
        Assert.True(Ipv6Support.IsAvailable(_root));
        Write("proc/sys/net/ipv6/conf/all/disable_ipv6", "1\n");
        Assert.False(Ipv6Support.IsAvailable(_root));
        Write("proc/sys/net/ipv6/conf/all/disable_ipv6", "0\n");
        Assert.True(Ipv6Support.IsAvailable(_root));
    }

    [Fact]
    public void A_family_the_kernel_does_not_do_is_left_out_unless_it_is_the_nodes()
    {
        Assert.Equal([IpFamily.IPv4, IpFamily.IPv6], NodeSettings.Families(true, null));
        Assert.Equal([IpFamily.IPv4], NodeSettings.Families(false, IpAddr.Parse("192.0.2.1")));
        Assert.Throws<Core.Sync.ProxyBackendException>(() => NodeSettings.Families(false, IpAddr.Parse("fd00::1")));
    }

    [Fact]
    public void Detectors_follow_the_mode_and_family()
    {
        var byCluster = Configuration(c => c.ClusterCIDR = "fd00::/8,10.0.0.0/8");
        Assert.Equal(new LocalTrafficDetector.Source(Cidr.Parse("10.0.0.0/8")), LocalDetectors.For(byCluster, IpFamily.IPv4, []));
        Assert.Equal(new LocalTrafficDetector.Source(Cidr.Parse("fd00::/8")), LocalDetectors.For(byCluster, IpFamily.IPv6, []));
        Assert.Null(LocalDetectors.For(Configuration(c => c.ClusterCIDR = "fd00::/8"), IpFamily.IPv4, []));
        var byNode = Configuration(c => c.DetectLocalMode = DetectLocalMode.NodeCidr);
        Assert.Equal(new LocalTrafficDetector.Source(Cidr.Parse("10.1.0.0/16")), LocalDetectors.For(byNode, IpFamily.IPv4, ["fd00::/64", "10.1.0.0/16"]));
        var byBridge = Configuration(c => (c.DetectLocalMode, c.DetectLocal.BridgeInterface) = (DetectLocalMode.BridgeInterface, "br0"));
        Assert.Equal(new LocalTrafficDetector.Bridge("br0"), LocalDetectors.For(byBridge, IpFamily.IPv6, []));
        var byPrefix = Configuration(c => (c.DetectLocalMode, c.DetectLocal.InterfaceNamePrefix) = (DetectLocalMode.InterfaceNamePrefix, "cali"));
        Assert.Equal(new LocalTrafficDetector.InterfacePrefix("cali"), LocalDetectors.For(byPrefix, IpFamily.IPv4, []));
    }

    [Fact]
    public void Options_come_from_the_configuration()
    {
        var settings = new NodeSettings(Configuration(c =>
        {
            c.HostnameOverride = "node1";
            c.BindAddress = "192.0.2.7";
            c.Nftables.MinSyncPeriod = GoDuration.FromSeconds(2);
            c.Nftables.MasqueradeBit = 5;
            c.FeatureGates["AllowServiceExternalIPs"] = false;
        }));
        var options = settings.ToOptions();
        options.Validate();
        Assert.Equal(("node1", false, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(30)), (options.NodeName, options.AllowExternalIPs, options.MinSyncPeriod, options.SyncPeriod));
        Assert.Equal([IpAddr.Parse("192.0.2.7")], options.NodeAddresses);
        Assert.True(options.NodePortAddresses.Primary);
        Assert.Equal(32u, settings.Masquerade(IpFamily.IPv4, []).Mark);
    }

    [Fact]
    public void Without_a_node_object_the_interfaces_stand_in()
    {
        var sink = new RecordingSink();
        var node = new NodeSink(sink, "node1", () => [IpAddr.Parse("127.0.0.1"), IpAddr.Parse("192.0.2.1"), IpAddr.Parse("fd00::1")], Watch());
        node.Upsert(new Core.Kubernetes.Node { Metadata = new ObjectMeta { Name = "other" } });
        node.MarkSynced(ObjectKind.Service);
        Assert.Single(sink.Objects);
        node.MarkSynced(ObjectKind.Node);
        var standIn = Assert.IsType<Core.Kubernetes.Node>(sink.Objects[^1]);
        Assert.Equal(["192.0.2.1", "fd00::1"], standIn.Status.Addresses.Select(address => address.Address));
        Assert.Equal("ToBeDeletedByClusterAutoscaler", Assert.Single(standIn.Spec.Taints).Key);
    }

    [Fact]
    public void With_a_node_object_there_is_no_stand_in_and_changed_blocks_are_noticed()
    {
        var sink = new RecordingSink();
        List<string> changes = [];
        var watch = Watch();
        watch.PodCidrsChanged += () => changes.Add("changed");
        var sut = new NodeSink(sink, "node1", () => [], watch);
        Core.Kubernetes.Node Node(params string[] cidrs) => new() { Metadata = new ObjectMeta { Name = "node1" }, Spec = new NodeSpec { PodCidrs = cidrs } };
        sut.Upsert(Node());
        sut.Upsert(Node("10.0.0.0/24"));
        sut.Upsert(Node("10.0.0.0/24"));
        sut.MarkSynced(ObjectKind.Node);
        Assert.Equal(3, sink.Objects.Count);
        Assert.Empty(changes);
        sut.Replace(ObjectKind.Node, [Node("10.0.1.0/24")]);
        Assert.Equal(["changed"], changes);
    }

    private static Core.Kubernetes.Node WithPodCidrs(params string[] cidrs) =>
        new() { Metadata = new ObjectMeta { Name = "node1" }, Spec = new NodeSpec { PodCidrs = cidrs } };

    [Fact]
    public async Task Pod_blocks_are_waited_for_aloud()
    {
        var (time, logger) = (new SteppedTime(), new ListLogger<PodCidrWait>());
        using var wait = new PodCidrWait("node1", time, logger);
        var read = wait.GetAsync(TestContext.Current.CancellationToken);
        await wait.StartAsync(TestContext.Current.CancellationToken);
        await time.WaitForTimerAsync(delay => delay == PodCidrWait.SayPeriod);
        Assert.Equal("there is no Node node1, whose spec.podCIDRs detectLocalMode NodeCIDR needs", wait.Reason);
        wait.Look(WithPodCidrs());
        wait.Look(WithPodCidrs());
        Assert.Equal("node node1 has no spec.podCIDRs, which detectLocalMode NodeCIDR needs", wait.Reason);
        time.Advance(PodCidrWait.SayPeriod);
        await time.WaitForTimerAsync(delay => delay == PodCidrWait.SayPeriod);
        string[] said =
        [
            "Waiting, no rule is written before: there is no Node node1, whose spec.podCIDRs detectLocalMode NodeCIDR needs",
            "Waiting, no rule is written before: node node1 has no spec.podCIDRs, which detectLocalMode NodeCIDR needs",
            "Waiting, no rule is written before: node node1 has no spec.podCIDRs, which detectLocalMode NodeCIDR needs",
        ];
        Assert.Equal(said, logger.Lines.Select(line => line.Message));
        Assert.False(read.IsCompleted);
        Assert.Empty(wait.Known);
        wait.Look(WithPodCidrs("10.0.0.0/24"));
        wait.Look(WithPodCidrs());
        Assert.Equal(["10.0.0.0/24"], await read);
        Assert.Equal((null, "10.0.0.0/24"), (wait.Reason, Assert.Single(wait.Known)));
        await wait.ExecuteTask!.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(3, logger.Lines.Count);
    }

    [Fact]
    public async Task Pod_blocks_are_not_waited_for_for_ever()
    {
        var time = new SteppedTime();
        using var wait = new PodCidrWait("node1", time, NullLogger<PodCidrWait>.Instance);
        await wait.StartAsync(TestContext.Current.CancellationToken);
        for (var waited = TimeSpan.Zero; waited < PodCidrWait.Patience; waited += PodCidrWait.SayPeriod)
        {
            await time.WaitForTimerAsync(delay => delay == PodCidrWait.SayPeriod);
            time.Advance(PodCidrWait.SayPeriod);
        }

        var problem = await Assert.ThrowsAsync<ProxyBackendException>(() => wait.GetAsync(TestContext.Current.CancellationToken));
        Assert.Equal("there is no Node node1, whose spec.podCIDRs detectLocalMode NodeCIDR needs; waited 5 minutes", problem.Message);
        Assert.NotNull(wait.Reason);
    }

    private static NodeWatch Watch() => new("node1", podCidrsMatter: true, NullLogger<NodeWatch>.Instance);

    [Fact]
    public void Addresses_of_the_node_are_followed()
    {
        var watch = Watch();
        var changes = 0;
        watch.AddressesChanged += () => changes++;
        var sut = new NodeSink(new RecordingSink(), "node1", () => [], watch);
        static Core.Kubernetes.Node Node(params (string Type, string Address)[] addresses) => new()
        {
            Metadata = new ObjectMeta { Name = "node1" },
            Status = new NodeStatus { Addresses = [.. addresses.Select(address => new NodeAddress { Type = address.Type, Address = address.Address })] },
        };
        sut.Upsert(Node());
        Assert.False(watch.Seen.IsCompleted);
        sut.Upsert(Node(("Hostname", "node1"), ("ExternalIP", "198.51.100.1"), ("InternalIP", "192.0.2.1")));
        Assert.True(watch.Seen.IsCompleted);
        Assert.Equal(["192.0.2.1", "198.51.100.1"], watch.Addresses);
        sut.Upsert(Node(("InternalIP", "192.0.2.1"), ("ExternalIP", "198.51.100.1")));
        Assert.Equal(1, changes);
        sut.Upsert(Node(("InternalIP", "192.0.2.2")));
        Assert.Equal(2, changes);
        sut.Delete(ObjectKind.Node, new NamespacedName("", "node1"));
        Assert.Equal(["192.0.2.2"], watch.Addresses);
    }

    [Theory]
    [InlineData("0-3,8\n", 5)]
    [InlineData("0\n", 1)]
    [InlineData("0-1", 2)]
    [InlineData("nonsense", 0)]
    [InlineData(null, 0)]
    public void Processors_are_those_of_the_node(string? online, int expected)
    {
        var root = Directory.CreateTempSubdirectory().FullName;
        Directory.CreateDirectory(Path.Combine(root, "sys/devices/system/cpu"));
        if (online is not null) File.WriteAllText(Path.Combine(root, "sys/devices/system/cpu/online"), online);
        Assert.Equal(expected == 0 ? Environment.ProcessorCount : expected, CpuCount.Online(root));
        Directory.Delete(root, recursive: true);
    }

    private sealed class RecordingSink : IProxySink
    {
        public List<KubernetesObject> Objects { get; } = [];

        public void Upsert(KubernetesObject value) => Objects.Add(value);

        public void Delete(ObjectKind kind, NamespacedName name) { }

        public void Replace(ObjectKind kind, IEnumerable<KubernetesObject> values) => Objects.AddRange(values);

        public void MarkSynced(ObjectKind kind) { }

        public void Report(string place, IReadOnlyList<ObjectProblem> problems) { }
    }
}
