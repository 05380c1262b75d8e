using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Host.Backends;

/// <summary>Removes the tables of the nftables backend, ours or upstream's: both have the same names.</summary>
/// <param name="connect">Opens the connection to the kernel.</param>
internal sealed class NftablesCleaner(Func<INftables> connect) : IRuleCleaner
{
    private static readonly NftTableKey[] Owned = [new(NftFamily.Ip, "kube-proxy"), new(NftFamily.Ip6, "kube-proxy")];

    public string Subject => "nftables";

    public async Task<IReadOnlyList<string>> CleanAsync(CancellationToken cancellationToken)
    {
        await using var nftables = connect();
        var tables = await nftables.ListTablesAsync(null, cancellationToken);
        var found = Owned.Where(key => tables.Any(table => table.Key == key)).ToList();
        var transaction = new NftTransaction();
        foreach (var key in found) transaction.Delete(key);
        if (!transaction.IsEmpty) await nftables.CommitAsync(transaction, cancellationToken);
        return [.. found.Select(key => $"table {(key.Family == NftFamily.Ip ? "ip" : "ip6")} {key.Name}")];
    }
}
