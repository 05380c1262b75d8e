using KubeProxy.Core.Composition;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;
using KubeProxy.Host.Backends;
using KubeProxy.Host.Configuration;
using KubeProxy.Host.Inspection;
using KubeProxy.Netfilter.Backends.Userspace;

namespace KubeProxy.Host.Composition;

/// <summary>Compares the kernel with what the running proxy has planned, by a dry run over the kernel. Changes nothing. Thread-safe.</summary>
/// <param name="engine">Has the plans.</param>
/// <param name="backends">Those at work.</param>
/// <param name="configuration">The configuration in force.</param>
/// <param name="node">What it means on the node.</param>
/// <param name="getPodCidrs">The node's pod blocks, where the mode has to know them.</param>
/// <param name="openKernel">Opens what is compared.</param>
internal sealed class KernelComparison(
    ProxyEngine engine, ProxyBackendSet backends, EffectiveConfiguration configuration, NodeSettings node, Func<IReadOnlyList<string>> getPodCidrs,
    Func<string, DryRunKernel> openKernel) : IDisposable
{
    private const int Attempts = 3;

    // A dry run holds all that a backend holds: one at a time.
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>All differences. What is being changed just now is looked at again.</summary>
    /// <exception cref="ProxyBackendException">The kernel cannot be read.</exception>
    public async Task<IReadOnlyList<Difference>> FindAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                var before = SyncsOf(engine.GetStatus());
                var found = await CompareAsync(cancellationToken);
                if (found.Count == 0 || attempt == Attempts || SyncsOf(engine.GetStatus()) == before) return found;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private static long SyncsOf(ProxyStatus status) => status.Families.Sum(family => family.Syncs) + status.Counts.ServiceChanges + status.Counts.EndpointChanges;

    private async Task<List<Difference>> CompareAsync(CancellationToken cancellationToken)
    {
        List<Difference> all = [];
        await using var kernel = openKernel(configuration.Mode);
        foreach (var family in engine.GetStatus().Families)
        {
            var refused = family.Quarantined.Select(owner => owner.Owner).ToHashSet();
            var plans = engine.GetPlans(family.Family).Where(plan => !refused.Contains(plan.Name)).ToList();
            var task = new BackendTask(configuration, family.Family, node.Masquerade(family.Family, getPodCidrs()));
            var run = await DryRun.RunAsync(task, kernel with { Userspace = UserspaceOf(family.Family) }, engine.GetNode(family.Family), plans, cancellationToken);
            all.AddRange(await new Differences(run, kernel.Nftables).FindAsync(cancellationToken));
            all.AddRange(family.Quarantined.Select(owner => new Difference(family.Family, DifferenceKind.Refused, $"{owner.Owner}: {owner.Reason}")));
        }

        return all;
    }

    private UserspaceBackend? UserspaceOf(IpFamily family) => backends.All.FirstOrDefault(backend => backend.Family == family) switch
    {
        UserspaceBackend userspace => userspace,
        AwaitedBackend { Made: UserspaceBackend userspace } => userspace,
        _ => null,
    };
}
