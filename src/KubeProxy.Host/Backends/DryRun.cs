using System.Diagnostics.Metrics;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Configuration;
using KubeProxy.Ipvs;
using KubeProxy.Ipvs.Backend;
using KubeProxy.Netfilter;
using KubeProxy.Netfilter.Backends.Balanced;
using KubeProxy.Netfilter.Backends.Iptables;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Userspace;
using KubeProxy.Netfilter.Conntrack;
using KubeProxy.Netfilter.Nfacct;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Rtnetlink;
using Microsoft.Extensions.Logging.Abstractions;

namespace KubeProxy.Host.Backends;

/// <summary>
/// What the backend of a family would write if it started now: it adopts what is there and is given all plans, as at any start. On an empty
/// kernel that is all that would be in force, and on a settled node nothing.
/// </summary>
internal sealed record DryRun
{
    /// <summary>The family.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>Operations of nf_tables.</summary>
    public required IReadOnlyList<NftOperation> Nftables { get; init; }

    /// <summary>Operations of IPVS.</summary>
    public required IReadOnlyList<IpvsOperation> Ipvs { get; init; }

    /// <summary>Commands of <c>ip</c>.</summary>
    public required IReadOnlyList<string> Routes { get; init; }

    /// <summary>Sysctls, by their path from the root.</summary>
    public required IReadOnlyList<(string Path, long Value)> Sysctls { get; init; }

    /// <summary>Service ports that cannot be written.</summary>
    public required IReadOnlyList<QuarantinedOwner> Quarantined { get; init; }

    /// <summary>Whether there is nothing to write.</summary>
    public bool IsEmpty => Nftables.Count == 0 && Ipvs.Count == 0 && Routes.Count == 0 && Sysctls.Count == 0 && Quarantined.Count == 0;

    /// <summary>Does it.</summary>
    /// <param name="task">What the backend is to do.</param>
    /// <param name="kernel">What is there.</param>
    /// <param name="node">The node's plan.</param>
    /// <param name="plans">All plans of the family.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProxyBackendException">The kernel cannot be read, or does not do what the mode needs.</exception>
    public static async Task<DryRun> RunAsync(
        BackendTask task, DryRunKernel kernel, NodePlan node, IReadOnlyList<ServicePortPlan> plans, CancellationToken cancellationToken)
    {
        var nftables = new DryRunNftables(kernel.Nftables);
        var ipvs = new DryRunIpvs(kernel.Ipvs);
        var routes = kernel.Routes is { } known ? new DryRunRoute(known) : new DryRunRoute(kernel.Addresses);
        List<(string, long)> sysctls = [];
        var settings = new KernelSettings(kernel.Root) { Instead = (path, value) => sysctls.Add((path, value)) };
        using var meters = new UnheardMeters();
        await using var backend = Make(task, kernel, new Clients(nftables, ipvs, routes, settings, meters));
        await backend.StartAsync(_ => { }, cancellationToken);
        var tried = ipvs.Operations.Count; // Of the scheduler.
        var result = await backend.SyncAsync(new PlanChanges { Node = node, Updated = plans }, cancellationToken);
        // A backend of mode userspace takes back what it made when it ends.
        return new DryRun
        {
            Family = task.Family, Nftables = [.. nftables.Operations], Ipvs = [.. ipvs.Operations.Skip(tried)], Routes = [.. routes.Commands],
            Sysctls = [.. sysctls.Distinct()], Quarantined = result.Quarantined,
        };
    }

    private static IProxyBackend Make(BackendTask task, DryRunKernel kernel, Clients clients) => task.Configuration.Mode switch
    {
        ProxyMode.Nftables => new NftablesBackend(BackendOptions.Nftables(task), NftablesParts(clients), NullLogger<NftablesBackend>.Instance),
        ProxyMode.Iptables => new IptablesBackend(
            BackendOptions.Iptables(task),
            new IptablesBackendParts
            {
                Nftables = clients.Nftables, Routes = clients.Routes, Conntrack = new DryRunConntrack(), Settings = clients.Settings, Meters = clients.Meters,
                Accounting = kernel.Accounting is { } accounting ? new DryRunAccounting(accounting) : null,
            },
            NullLogger<IptablesBackend>.Instance),
        ProxyMode.Userspace => new UserspaceBackend(
            BackendOptions.Userspace(task), UserspaceBackendParts.DryRun(clients.Nftables, clients.Routes, kernel.Userspace), NullLogger<UserspaceBackend>.Instance),
        ProxyMode.Ipvs => new BalancedBackend(
            new BalancedBackendOptions { Mode = ProxyMode.Ipvs, Family = task.Family, Masquerade = task.Masquerade },
            NftablesParts(clients),
            new IpvsBalancer(
                BackendOptions.Ipvs(task), new IpvsBalancerParts { Ipvs = clients.Ipvs, Routes = clients.Routes, Settings = clients.Settings }, NullLogger<IpvsBalancer>.Instance),
            NullLogger.Instance),
        var mode => throw new ProxyBackendException($"there is no backend for mode {mode}"),
    };

    private static NftablesBackendParts NftablesParts(Clients clients) =>
        new() { Nftables = clients.Nftables, Routes = clients.Routes, Conntrack = new DryRunConntrack(), Meters = clients.Meters };

    private sealed record Clients(DryRunNftables Nftables, DryRunIpvs Ipvs, DryRunRoute Routes, KernelSettings Settings, IMeterFactory Meters);

    /// <summary>What a dry run measures is nobody's business: it must not stand beside what the backend at work measures.</summary>
    private sealed class UnheardMeters : IMeterFactory
    {
        private readonly List<Meter> _meters = [];

        public Meter Create(MeterOptions options)
        {
            var meter = new Meter("DryRun");
            _meters.Add(meter);
            return meter;
        }

        public void Dispose()
        {
            foreach (var meter in _meters) meter.Dispose();
        }
    }
}
