using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Connection tracking for a dry run: there are no flows, none is deleted, and none is made.</summary>
public sealed class DryRunConntrack : IConntrack
{
    /// <inheritdoc/>
    public Task VisitAsync(FlowFilter filter, FlowVisitor visit, Action? restart = null, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<Flow?> FindAsync(FlowTuple original, CancellationToken cancellationToken = default) => Task.FromResult<Flow?>(null);

    /// <inheritdoc/>
    public Task<Flow?> FindByReplyAsync(FlowTuple reply, CancellationToken cancellationToken = default) => Task.FromResult<Flow?>(null);

    /// <inheritdoc/>
    public Task CreateAsync(Flow flow, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task UpdateAsync(Flow flow, FlowChange change, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<int> DeleteAsync(IReadOnlyList<Flow> flows, CancellationToken cancellationToken = default) => Task.FromResult(0);

    /// <inheritdoc/>
    public Task FlushAsync(IpFamily? family = null, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<ConntrackUsage> CountAsync(CancellationToken cancellationToken = default) => Task.FromResult(default(ConntrackUsage));

    /// <summary>Nothing to release.</summary>
    public void Dispose() { }
}
