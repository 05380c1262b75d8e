using KubeProxy.Core.Model;

namespace KubeProxy.Ipvs;

/// <summary>
/// IPVS for a dry run: what is there is read, what is written is noted, and counts as written. One backend has it at a time.
/// </summary>
/// <param name="kernel">What is there; not disposed. Null for nothing.</param>
public sealed class DryRunIpvs(IIpvs? kernel = null) : IIpvs
{
    private static readonly IpvsInfo Info = new(new Version(1, 2, 1), 4096);

    private static readonly IpvsTimeouts Defaults = new(TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5));

    private readonly List<IpvsOperation> _operations = [];

    /// <summary>What would have been written, in order.</summary>
    public IReadOnlyList<IpvsOperation> Operations => _operations;

    /// <summary>The timeouts that would have been set; null when they would have stayed.</summary>
    public IpvsTimeouts? Timeouts { get; private set; }

    /// <inheritdoc/>
    public Task<IpvsInfo> GetInfoAsync(CancellationToken cancellationToken = default) => kernel?.GetInfoAsync(cancellationToken) ?? Task.FromResult(Info);

    /// <inheritdoc/>
    public Task<IReadOnlyList<VirtualServiceState>> ListServicesAsync(IpFamily? family = null, CancellationToken cancellationToken = default) =>
        kernel?.ListServicesAsync(family, cancellationToken) ?? Task.FromResult<IReadOnlyList<VirtualServiceState>>([]);

    /// <inheritdoc/>
    public Task<VirtualServiceState?> FindServiceAsync(VirtualServiceKey key, CancellationToken cancellationToken = default) =>
        kernel?.FindServiceAsync(key, cancellationToken) ?? Task.FromResult<VirtualServiceState?>(null);

    /// <inheritdoc/>
    public Task<IReadOnlyList<DestinationState>> ListDestinationsAsync(VirtualServiceKey key, CancellationToken cancellationToken = default) =>
        kernel?.ListDestinationsAsync(key, cancellationToken) ?? Task.FromResult<IReadOnlyList<DestinationState>>([]);

    /// <inheritdoc/>
    public Task<IReadOnlyList<IpvsRefusal>> ApplyAsync(IReadOnlyList<IpvsOperation> operations, CancellationToken cancellationToken = default)
    {
        _operations.AddRange(operations);
        return Task.FromResult<IReadOnlyList<IpvsRefusal>>([]);
    }

    /// <inheritdoc/>
    public Task<IpvsTimeouts> GetTimeoutsAsync(CancellationToken cancellationToken = default) => kernel?.GetTimeoutsAsync(cancellationToken) ?? Task.FromResult(Defaults);

    /// <inheritdoc/>
    public Task SetTimeoutsAsync(IpvsTimeouts timeouts, CancellationToken cancellationToken = default)
    {
        Timeouts = timeouts;
        return Task.CompletedTask;
    }

    /// <summary>Does nothing.</summary>
    public Task ZeroAsync(VirtualServiceKey? key = null, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>Does nothing.</summary>
    public Task FlushAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>Nothing to release.</summary>
    public void Dispose() { }
}
