using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Harness;

/// <summary>The client under test, used from one thread.</summary>
internal sealed class Client : IDisposable
{
    private readonly NftablesClient _client = NftablesClient.Open();

    public NftTableContent Read(NftTableKey table) => _client.ReadTableAsync(table).GetAwaiter().GetResult()!;

    public IReadOnlyList<NftElement> Elements(NftSet set)
    {
        var elements = new List<NftElement>();
        _client.ReadElementsAsync(set, elements.Add, elements.Clear).GetAwaiter().GetResult();
        return elements;
    }

    /// <summary>Adds every rule once more to its chain; what is refused, by chain.</summary>
    public Dictionary<string, string> AddAgain(NftTableKey table, NftTableContent content)
    {
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        Commit<KeyValuePair<string, IReadOnlyList<NftRuleInKernel>>>(content.Rules.ToArray(), chain => (transaction) =>
        {
            foreach (var rule in chain.Value) transaction.Add(new NftChainKey(table, chain.Key), rule.Rule);
        }, (chain, reason) => refused[chain.Key] = reason);
        return refused;
    }

    /// <summary>Writes the table once more under another name; what is refused, by chain (of everything else: by its text).</summary>
    public Dictionary<string, string> Copy(NftTableContent content, string name)
    {
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, action) in TableCopy.Objects(content, name, Elements)) Try(action, reason => refused[key] = reason);
        Commit<KeyValuePair<string, IReadOnlyList<NftRuleInKernel>>>(content.Rules.Where(chain => chain.Value.Count > 0).ToArray(), chain => transaction => TableCopy.AddRules(transaction, content, chain.Key, name),
            (chain, reason) => refused[chain.Key] = reason);
        return refused;
    }

    public void Dispose() => _client.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private void Commit<T>(ArraySegment<T> items, Func<T, Action<NftTransaction>> add, Action<T, string> refuse)
    {
        if (items.Count == 0) return;
        var isRefused = false;
        Try(transaction =>
        {
            foreach (var item in items) add(item)(transaction);
        }, reason =>
        {
            isRefused = true;
            if (items.Count == 1) refuse(items[0], reason);
        });
        if (!isRefused || items.Count == 1) return;
        Commit(items[..(items.Count / 2)], add, refuse);
        Commit(items[(items.Count / 2)..], add, refuse);
    }

    /// <summary>Commits what is built; why it was refused, or null.</summary>
    public string? Commit(Action<NftTransaction> build)
    {
        string? refused = null;
        Try(build, reason => refused = reason);
        return refused;
    }

    private void Try(Action<NftTransaction> build, Action<string> refuse)
    {
        try
        {
            var transaction = new NftTransaction();
            build(transaction);
            _client.CommitAsync(transaction).GetAwaiter().GetResult();
        }
        catch (Exception error)
        {
            refuse(error.Message);
        }
    }
}
