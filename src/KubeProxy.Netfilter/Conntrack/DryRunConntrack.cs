namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Connection tracking for a dry run: there are no flows, and none is deleted.</summary>
public sealed class DryRunConntrack : IConntrack
{
    /// <inheritdoc/>
    public Task VisitAsync(FlowFilter filter, FlowVisitor visit, Action? restart = null, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<int> DeleteAsync(IReadOnlyList<Flow> flows, CancellationToken cancellationToken = default) => Task.FromResult(0);

    /// <inheritdoc/>
    public Task<Flow?> FindByReplyAsync(FlowTuple reply, CancellationToken cancellationToken = default) => Task.FromResult<Flow?>(null);

    /// <summary>Nothing to release.</summary>
    public void Dispose() { }
}
