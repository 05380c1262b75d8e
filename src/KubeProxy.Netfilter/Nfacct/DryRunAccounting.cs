namespace KubeProxy.Netfilter.Nfacct;

/// <summary>Accounting objects for a dry run: those that are there can be counted in, and none is made.</summary>
/// <param name="kernel">Where they are read; not disposed.</param>
public sealed class DryRunAccounting(IAccounting kernel) : IAccounting
{
    /// <summary>Whether it is there.</summary>
    /// <inheritdoc/>
    public async Task<bool> EnsureAsync(string name, CancellationToken cancellationToken = default) => await kernel.ReadAsync(name, cancellationToken) is not null;

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken = default) => Task.FromResult(false);

    /// <inheritdoc/>
    public Task<AccountingCounter?> ReadAsync(string name, CancellationToken cancellationToken = default) => kernel.ReadAsync(name, cancellationToken);

    /// <summary>Nothing to release.</summary>
    public void Dispose() { }
}
