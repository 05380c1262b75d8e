using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Core.Tests;
using KubeProxy.Ipvs.Backend;
using KubeProxy.Ipvs.Testing;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Balanced;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Conntrack.Testing;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using KubeProxy.Netfilter.Tests.Backends;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Ipvs.Tests.Backend;

/// <summary>The ipvs mode over a kernel in memory. The node has one address, 192.0.2.1.</summary>
internal sealed class IpvsHarness : IAsyncDisposable
{
    private IpvsHarness(Kernel kernel, BalancedBackend backend) => (Memory, Backend) = (kernel, backend);

    /// <summary>What outlives the proxy.</summary>
    /// <param name="root">Where its settings are; by default a directory of its own.</param>
    public sealed class Kernel(DirectoryInfo? root = null)
    {
        public InMemoryIpvs Ipvs { get; } = new();

        public InMemoryNftables Nftables { get; } = new();

        public InMemoryRoute Routes { get; } = new();

        public DirectoryInfo Root { get; } = root ?? All.CreateSubdirectory(Guid.NewGuid().ToString("N"));

        public async Task PrepareAsync()
        {
            await Routes.AddLinkAsync("eth0", "veth");
            await Routes.AddAddressAsync(new InterfaceAddress(2, NodeAddress, 24));
            foreach (var (path, value) in Sysctls) Write(path, value);
        }

        public string Read(string path) => File.ReadAllText(Path.Combine(Root.FullName, path));

        public void Write(string path, string value)
        {
            var full = Path.Combine(Root.FullName, path);
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            File.WriteAllText(full, value);
        }

        private static readonly (string, string)[] Sysctls =
        [
            ("proc/sys/net/ipv4/vs/conntrack", "0\n"), ("proc/sys/net/ipv4/vs/conn_reuse_mode", "0\n"), ("proc/sys/net/ipv4/vs/expire_nodest_conn", "0\n"),
            ("proc/sys/net/ipv4/vs/expire_quiescent_template", "0\n"), ("proc/sys/net/ipv4/ip_forward", "1\n"),
            ("proc/sys/net/ipv4/conf/all/arp_ignore", "0\n"), ("proc/sys/net/ipv4/conf/all/arp_announce", "0\n"),
        ];
    }

    // The files of all kernels; gone with the process, as a kernel outlives what a test disposes.
    private static readonly DirectoryInfo All = TemporaryDirectory();

    private static DirectoryInfo TemporaryDirectory()
    {
        var directory = Directory.CreateTempSubdirectory("kube-proxy-ipvs-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => directory.Delete(recursive: true);
        return directory;
    }

    public static IpAddr NodeAddress { get; } = IpAddr.Parse("192.0.2.1");

    public Kernel Memory { get; }

    public InMemoryIpvs Ipvs => Memory.Ipvs;

    public BalancedBackend Backend { get; }

    public ManualTime Time { get; private init; } = new();

    public static async Task<IpvsHarness> StartAsync(
        Kernel? kernel = null, Func<IpvsBalancerOptions, IpvsBalancerOptions>? configure = null, Action<string>? requestSync = null, ILogger<IpvsBalancer>? logger = null,
        Version? kernelVersion = null, IpFamily family = IpFamily.IPv4, MasqueradePolicy? masquerade = null)
    {
        if (kernel is null)
        {
            kernel = new Kernel();
            await kernel.PrepareAsync();
        }

        var time = new ManualTime();
        var options = new IpvsBalancerOptions { Family = family };
        var balancer = new IpvsBalancer(
            configure?.Invoke(options) ?? options,
            new IpvsBalancerParts
            {
                Ipvs = kernel.Ipvs,
                Routes = kernel.Routes,
                Settings = new KernelSettings(kernel.Root.FullName),
                KernelVersion = kernelVersion ?? new Version(6, 1),
                Time = time,
            },
            logger ?? NullLogger<IpvsBalancer>.Instance);
        var backend = new BalancedBackend(
            new BalancedBackendOptions { Mode = "ipvs", Family = family, Masquerade = masquerade ?? Plans.Policy(family) },
            new NftablesBackendParts { Nftables = kernel.Nftables, Routes = kernel.Routes, Conntrack = new InMemoryConntrack(), Time = time },
            balancer, NullLogger.Instance);
        await backend.StartAsync(requestSync ?? (_ => { }), CancellationToken.None);
        return new IpvsHarness(kernel, backend) { Time = time };
    }

    public Task<SyncResult> FirstSyncAsync(params IReadOnlyList<ServicePortPlan> plans) =>
        Backend.SyncAsync(new PlanChanges { Node = Plans.Node(), Updated = plans }, CancellationToken.None);

    public Task<SyncResult> SyncAsync(params IReadOnlyList<ServicePortPlan> plans) =>
        Backend.SyncAsync(new PlanChanges { Updated = plans }, CancellationToken.None);

    public Task<SyncResult> RemoveAsync(string name) =>
        Backend.SyncAsync(new PlanChanges { Removed = [Plans.Name(name)] }, CancellationToken.None);

    public Task<SyncResult> VerifyAsync() => Backend.SyncAsync(new PlanChanges { Verify = true }, CancellationToken.None);

    public static VirtualServiceKey Tcp(string address, ushort port = 80) => new(IpAddr.Parse(address), Protocol.Tcp, port);

    /// <summary>Everything in IPVS, as lines like those of ipvsadm, sorted.</summary>
    public static async Task<IReadOnlyList<string>> ListAsync(IIpvs ipvs)
    {
        List<string> lines = [];
        foreach (var (service, _) in await ipvs.ListServicesAsync())
        {
            var persistence = service.Persistence is { } timeout ? $" persistent {timeout.TotalSeconds}" : "";
            var head = $"{service.Key} {service.Scheduler}{persistence}{(service.Flags == VirtualServiceFlags.None ? "" : $" {service.Flags}")}";
            lines.Add(head);
            foreach (var state in await ipvs.ListDestinationsAsync(service.Key))
                lines.Add($"{service.Key} -> {state.Destination.Endpoint} {state.Destination.Method} {state.Destination.Weight}");
        }

        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    public Task<IReadOnlyList<string>> ListAsync() => ListAsync(Ipvs);

    /// <summary>The addresses of the interface of virtual addresses.</summary>
    public async Task<IReadOnlyList<string>> BoundAsync()
    {
        var link = (await Memory.Routes.ListLinksAsync()).SingleOrDefault(link => link.Name == "kube-ipvs0");
        return link is null ? [] : [.. (await Memory.Routes.ListAddressesAsync()).Where(address => address.InterfaceIndex == link.Index)
            .Select(address => $"{address.Address}/{address.PrefixLength}").Order(StringComparer.Ordinal)];
    }

    public ValueTask DisposeAsync() => Backend.DisposeAsync();
}
