using System.Diagnostics.Metrics;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Conntrack.Testing;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Legacy;
using KubeProxy.Netfilter.Nfacct;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;
using KubeProxy.Netfilter.Rtnetlink.Testing;
using KubeProxy.Netfilter.Tests.Backends;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Netfilter.Tests.Iptables;

/// <summary>An iptables backend over a ruleset in memory, with a proc directory of its own.</summary>
internal sealed class IptablesHarness : IAsyncDisposable
{
    private const string RouteLocalnet = "proc/sys/net/ipv4/conf/all/route_localnet";

    private readonly DirectoryInfo _root;

    private readonly Counters _counters;

    private IptablesHarness(InMemoryNftables nftables, IptablesBackend backend, DirectoryInfo root, Counters counters) =>
        (Nftables, Backend, _root, _counters) = (nftables, backend, root, counters);

    /// <summary>How often accounting objects were asked to be there.</summary>
    public int EnsuredCounters => _counters.Ensured;

    public InMemoryNftables Nftables { get; }

    public IptablesBackend Backend { get; }

    /// <summary>The sysctl of that name; null when there is none.</summary>
    public string? LocalnetRouting => new KernelSettings(_root.FullName).Read(RouteLocalnet);

    /// <summary>Whether there is that sysctl.</summary>
    public bool HasLocalnetRouting
    {
        set
        {
            if (value) File.WriteAllText(Path.Combine(_root.FullName, RouteLocalnet), "0\n");
            else File.Delete(Path.Combine(_root.FullName, RouteLocalnet));
        }
    }

    public static IptablesHarness Create(
        InMemoryNftables? nftables = null, IpFamily family = IpFamily.IPv4, MasqueradePolicy? masquerade = null, bool accounting = false,
        InMemoryRoute? routes = null, bool localhost = true, IReadOnlyList<LegacyChain>? legacy = null, IMeterFactory? meters = null)
    {
        nftables ??= new InMemoryNftables();
        var counters = new Counters();
        var root = Directory.CreateTempSubdirectory("kube-proxy-proc");
        Directory.CreateDirectory(Path.Combine(root.FullName, Path.GetDirectoryName(RouteLocalnet)!));
        var backend = new IptablesBackend(
            new IptablesBackendOptions { Family = family, Masquerade = masquerade ?? BackendHarness.Policy, LocalhostNodePorts = localhost },
            new IptablesBackendParts
            {
                Nftables = nftables,
                Routes = routes ?? new InMemoryRoute(),
                Conntrack = new InMemoryConntrack(),
                Accounting = accounting ? counters : null,
                Meters = meters,
                LegacyChains = legacy ?? [],
                Settings = new KernelSettings(root.FullName),
            },
            NullLogger<IptablesBackend>.Instance);
        return new IptablesHarness(nftables, backend, root, counters) { HasLocalnetRouting = true };
    }

    public static async Task<IptablesHarness> StartAsync(InMemoryNftables? nftables = null, InMemoryRoute? routes = null, bool localhost = true, bool accounting = false)
    {
        var harness = Create(nftables, routes: routes, localhost: localhost, accounting: accounting);
        await harness.Backend.StartAsync(_ => { }, CancellationToken.None);
        return harness;
    }

    public Task<SyncResult> FirstSyncAsync(params IReadOnlyList<ServicePortPlan> plans) =>
        Backend.SyncAsync(new PlanChanges { Node = Plans.Node(), Updated = plans }, CancellationToken.None);

    public Task<SyncResult> SyncAsync(params IReadOnlyList<ServicePortPlan> plans) =>
        Backend.SyncAsync(new PlanChanges { Updated = plans }, CancellationToken.None);

    public Task<SyncResult> RemoveAsync(params IReadOnlyList<ServicePortName> names) =>
        Backend.SyncAsync(new PlanChanges { Removed = names }, CancellationToken.None);

    public Task<SyncResult> VerifyAsync() => Backend.SyncAsync(new PlanChanges { Verify = true }, CancellationToken.None);

    /// <summary>The lines of a table, as iptables-save has them, chain by chain.</summary>
    public static async Task<SortedDictionary<string, List<string>>> SaveAsync(INftables nftables, IpFamily family, IptablesTable table)
    {
        var result = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (chain, content) in await new IptablesClient(nftables, family).ReadAsync(table))
            result.Add(chain, [.. content.Rules.Select(rule => IptablesText.Line(chain, rule.Rule, family))]);
        return result;
    }

    public Task<SortedDictionary<string, List<string>>> NatAsync() => SaveAsync(Nftables, Backend.Family, IptablesTable.Nat);

    public Task<SortedDictionary<string, List<string>>> FilterAsync() => SaveAsync(Nftables, Backend.Family, IptablesTable.Filter);

    public async ValueTask DisposeAsync()
    {
        await Backend.DisposeAsync();
        _root.Delete(recursive: true);
    }

    private sealed class Counters : IAccounting
    {
        public int Ensured { get; private set; }

        public Task<bool> EnsureAsync(string name, CancellationToken cancellationToken = default)
        {
            Ensured++;
            return Task.FromResult(true);
        }

        public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken = default) => Task.FromResult(true);

        public Task<AccountingCounter?> ReadAsync(string name, CancellationToken cancellationToken = default) =>
            Task.FromResult<AccountingCounter?>(new AccountingCounter((ulong)name.Length, 0));

        public void Dispose()
        {
        }
    }
}
