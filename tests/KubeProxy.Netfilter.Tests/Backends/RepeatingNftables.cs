using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>A ruleset whose dumps have elements twice, as the kernel's do while a hash table is growing.</summary>
internal sealed class RepeatingNftables(INftables inner) : INftables
{
    public Task<uint> ReadElementsAsync(NftSet set, Action<NftElement> visit, Action restart, CancellationToken cancellationToken = default)
    {
        var seen = new List<NftElement>();
        return inner.ReadElementsAsync(set, element =>
        {
            visit(element);
            if (seen.Count % 3 == 2) visit(seen[^2]);
            seen.Add(element);
        }, restart, cancellationToken);
    }

    public Task<NftCommitResult> CommitAsync(NftTransaction transaction, CancellationToken cancellationToken = default) => inner.CommitAsync(transaction, cancellationToken);

    public INftPreparedTransaction Prepare(NftTransaction transaction) => inner.Prepare(transaction);

    public Task<uint> GetGenerationAsync(CancellationToken cancellationToken = default) => inner.GetGenerationAsync(cancellationToken);

    public Task<IReadOnlyList<NftTable>> ListTablesAsync(NftFamily? family = null, CancellationToken cancellationToken = default) => inner.ListTablesAsync(family, cancellationToken);

    public Task<NftTableContent?> ReadTableAsync(NftTableKey table, CancellationToken cancellationToken = default) => inner.ReadTableAsync(table, cancellationToken);

    public Task<IReadOnlyList<NftChain>> ListChainsAsync(NftTableKey table, CancellationToken cancellationToken = default) => inner.ListChainsAsync(table, cancellationToken);

    public Task VisitRulesAsync(NftTableKey table, string? chain, NftRuleVisitor visit, Action restart, CancellationToken cancellationToken = default) =>
        inner.VisitRulesAsync(table, chain, visit, restart, cancellationToken);

    public Task<uint> GetElementsAsync(
        NftSet set, IEnumerable<IReadOnlyList<NftElement>> keys, NftElementVisitor visit, Action restart, CancellationToken cancellationToken = default) =>
        inner.GetElementsAsync(set, keys, visit, restart, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
