using KubeProxy.Core;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using KubeProxy.Host.CommandLine;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Inspection;
using KubeProxy.Ipvs;
using KubeProxy.Ipvs.Backend;
using KubeProxy.Ipvs.Testing;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Balanced;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Conntrack.Testing;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Host.Tests.Inspection;

/// <summary>The kernel against the plan, with kernels in memory: those have been written by the backends at work.</summary>
public sealed class DryRunTests : IDisposable
{
    private readonly InMemoryNftables _nftables = new();
    private readonly InMemoryIpvs _ipvs = new();
    private readonly InMemoryRoute _routes = new();
    private readonly ServicePlans _plans;
    private readonly DirectoryInfo _root = System.IO.Directory.CreateTempSubdirectory("kubeproxy-dryrun");

    public DryRunTests()
    {
        _plans = ServicePlans.Of(new ProxyOptions { NodeName = "node1", NodeAddresses = [IpAddr.Parse("192.0.2.1")] }, Web(), Slice("10.244.1.1", "10.244.1.2"));
        var path = Path.Combine(_root.FullName, "proc/sys/net/ipv4/conf/all");
        System.IO.Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "route_localnet"), "1");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _root.Delete(recursive: true);

    [Theory]
    [InlineData("nftables")]
    [InlineData("iptables")]
    [InlineData("ipvs")]
    public async Task A_settled_node_has_no_difference_and_nothing_is_written(string mode)
    {
        await using var backend = await ProgramAsync(mode);
        // Slots of endpoint lists depend on what was before.
        _plans.Upsert(Slice("10.244.1.2", "10.244.1.3", "10.244.1.4"));
        await backend.SyncAsync(_plans.Take(IpFamily.IPv4), Cancel);
        _plans.Upsert(Slice("10.244.1.4", "10.244.1.5"));
        await backend.SyncAsync(_plans.Take(IpFamily.IPv4), Cancel);
        var (commits, text) = (_nftables.Counts.Commits, _nftables.Dump());
        Assert.Empty(await CompareAsync(mode));
        Assert.Equal((commits, text), (_nftables.Counts.Commits, _nftables.Dump()));
    }

    [Fact]
    public async Task A_changed_element_is_named()
    {
        await using var backend = await ProgramAsync("nftables");
        var endpoints = (await _nftables.ReadTableAsync(new NftTableKey(NftFamily.Ip, "kube-proxy"), Cancel))!.Sets["endpoints"];
        var element = _nftables.Elements(endpoints.Key).OrderBy(each => NftText(endpoints, each), StringComparer.Ordinal).First();
        await _nftables.CommitAsync(new NftTransaction().DeleteElements(endpoints, [element]), Cancel);
        Assert.Equal(["Missing element ip kube-proxy endpoints 10.96.0.10 . tcp . 80 . 0 : 10.244.1.1 . 8080"], await CompareAsync("nftables"));

        var other = _nftables.Elements(endpoints.Key).First(each => NftText(endpoints, each).StartsWith("10.96.0.10 . tcp . 80 . 1", StringComparison.Ordinal));
        await _nftables.CommitAsync(new NftTransaction().AddElements(endpoints, [element with { Data = other.Data }]), Cancel);
        // Either slot may get the endpoint that is missing now.
        Assert.StartsWith("Changed element ip kube-proxy endpoints 10.96.0.10 . tcp . 80 . ", Assert.Single(await CompareAsync("nftables")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rule_too_much_and_one_too_few_are_named()
    {
        await using var backend = await ProgramAsync("nftables");
        var table = (await _nftables.ReadTableAsync(new NftTableKey(NftFamily.Ip, "kube-proxy"), Cancel))!;
        var (name, rules) = table.Rules.First(chain => chain.Value.Select(rule => rule.Rule).Distinct().Count() > 1 && chain.Value[0].Rule != chain.Value[1].Rule);
        var chain = new NftChainKey(table.Table.Key, name);
        await _nftables.CommitAsync(new NftTransaction().Delete(chain, rules[0].Handle).Add(chain, rules[1].Rule), Cancel);
        Assert.Equal(
            [$"Missing rule ip kube-proxy {name} {Netfilter.Nftables.Text.NftText.Of(rules[0].Rule)}", $"Surplus rule ip kube-proxy {name} {Netfilter.Nftables.Text.NftText.Of(rules[1].Rule)}"],
            await CompareAsync("nftables"));
    }

    [Fact]
    public async Task A_rule_of_iptables_is_named_as_iptables_would_write_it()
    {
        await using var backend = await ProgramAsync("iptables");
        var table = (await _nftables.ReadTableAsync(new NftTableKey(NftFamily.Ip, "nat"), Cancel))!;
        var chain = new NftChainKey(table.Table.Key, "KUBE-SVC-LOLE4ISW44XBNF3G");
        await _nftables.CommitAsync(new NftTransaction().Delete(chain, table.Rules[chain.Name][^1].Handle), Cancel);
        Assert.Equal(
            ["Missing iptables -t nat -A KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment \"default/web -> 10.244.1.2:8080\" -j KUBE-SEP-PXJ2U7QYT2QW5545"],
            await CompareAsync("iptables"));
    }

    [Fact]
    public async Task A_destination_and_an_address_are_named()
    {
        await using var backend = await ProgramAsync("ipvs");
        var key = new VirtualServiceKey(IpAddr.Parse("10.96.0.10"), Protocol.Tcp, 80);
        await _ipvs.ApplyAsync(new IpvsOperation.DeleteDestination(key, new IpEndpoint(IpAddr.Parse("10.244.1.1"), 8080)), Cancel);
        await _ipvs.ApplyAsync(new IpvsOperation.AddService(new VirtualService { Key = new(IpAddr.Parse("10.9.9.9"), Protocol.Tcp, 80), Scheduler = "rr" }), Cancel);
        var link = (await _routes.ListLinksAsync(Cancel)).First(link => link.Name == "kube-ipvs0").Index;
        await _routes.DeleteAddressAsync(new InterfaceAddress(link, IpAddr.Parse("10.96.0.10"), 32), Cancel);
        Assert.Equal(
            ["Missing ip address add 10.96.0.10/32 dev kube-ipvs0", "Missing ipvsadm -a -t 10.96.0.10:80 -r 10.244.1.1:8080 -m -w 1", "Surplus ipvsadm -D -t 10.9.9.9:80"],
            (await CompareAsync("ipvs")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Reports_are_read_back_as_they_were_written()
    {
        var report = DiffReport.Of("nftables", [.. Enumerable.Range(0, 1200).Select(i => new Difference(IpFamily.IPv6, DifferenceKind.Changed, $"\u001b[1m{i}"))]);
        var read = DiffReport.Parse(report.ToJson());
        Assert.Equal((1200, DiffReport.Most, report.Found[3]), (read.Total, read.Found.Count, read.Found[3]));
        Assert.StartsWith("IPv6 changed \\x1b[1m0\n", read.ToText(), StringComparison.Ordinal);
        Assert.EndsWith("and 200 more\n", read.ToText(), StringComparison.Ordinal);
    }

    private static string NftText(NftSet set, NftElement element) => Netfilter.Nftables.Text.NftText.Of(set, element);

    private static Service Web() => new()
    {
        Metadata = new ObjectMeta { Name = "web" },
        Spec = new ServiceSpec { Type = "NodePort", ClusterIP = "10.96.0.10", Ports = [new ServicePort { Port = 80, NodePort = 30080 }] },
    };

    private static EndpointSlice Slice(params string[] addresses) => new()
    {
        Metadata = new ObjectMeta { Name = "web-1", Labels = new() { [WellKnownNames.ServiceNameLabel] = "web" } },
        AddressType = "IPv4",
        Ports = [new EndpointPort { Port = 8080 }],
        Endpoints = [.. addresses.Select(address => new Endpoint { Addresses = [address], NodeName = "node1" })],
    };

    private static BackendTask TaskOf(string mode)
    {
        var arguments = ProxyCommandLine.Parse(["--proxy-mode", mode], out _)!;
        return new BackendTask(ConfigurationLoader.Load(arguments, out _), IpFamily.IPv4, new MasqueradePolicy());
    }

    private async Task<IProxyBackend> ProgramAsync(string mode)
    {
        await _routes.AddLinkAsync("eth0", "veth", Cancel);
        await _routes.AddAddressAsync(new InterfaceAddress(2, IpAddr.Parse("192.0.2.1"), 24), Cancel);
        var (task, settings) = (TaskOf(mode), new KernelSettings(_root.FullName));
        var parts = new NftablesBackendParts { Nftables = _nftables, Routes = _routes, Conntrack = new InMemoryConntrack() };
        IProxyBackend backend = mode switch
        {
            ProxyMode.Nftables => new NftablesBackend(BackendOptions.Nftables(task), parts, NullLogger<NftablesBackend>.Instance),
            ProxyMode.Iptables => new IptablesBackend(
                BackendOptions.Iptables(task), new IptablesBackendParts { Nftables = _nftables, Routes = _routes, Conntrack = new InMemoryConntrack(), Settings = settings },
                NullLogger<IptablesBackend>.Instance),
            _ => new BalancedBackend(
                new BalancedBackendOptions { Mode = mode, Family = IpFamily.IPv4 }, parts,
                new IpvsBalancer(BackendOptions.Ipvs(task), new IpvsBalancerParts { Ipvs = _ipvs, Routes = _routes, Settings = settings }, NullLogger<IpvsBalancer>.Instance),
                NullLogger.Instance),
        };
        await backend.StartAsync(_ => { }, Cancel);
        await backend.SyncAsync(_plans.Take(IpFamily.IPv4), Cancel);
        return backend;
    }

    // Sysctls of ipvs mode cannot be set in a directory without them.
    private async Task<IReadOnlyList<string>> CompareAsync(string mode)
    {
        var kernel = new DryRunKernel { Nftables = _nftables, Ipvs = _ipvs, Routes = _routes, Root = _root.FullName };
        var run = await DryRun.RunAsync(TaskOf(mode), kernel, _plans.GetNode(IpFamily.IPv4), _plans.Get(IpFamily.IPv4), Cancel);
        var found = await new Differences(run with { Sysctls = [] }, _nftables).FindAsync(Cancel);
        return [.. found.Select(difference => $"{difference.Kind} {difference.What}")];
    }
}
