using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Text;
using KubeProxy.Netfilter.Nftables.Wire;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>Reading.</summary>
public sealed partial class NftablesClient
{
    // Somebody who commits all the time can disturb every attempt; better to say so than to try for ever.
    private const int MaxAttempts = 8;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<NftTable>> ListTablesAsync(NftFamily? family = null, CancellationToken cancellationToken = default)
    {
        var tables = new List<NftTable>();
        using var request = Request(NftMessage.GetTable, family ?? 0);
        await DumpAsync("list tables", request, message => tables.Add(NftObjectDecoder.Table(message)), tables.Clear, cancellationToken);
        return tables;
    }

    /// <inheritdoc/>
    /// <exception cref="NftReadException">The kernel refused, or the ruleset changed during every attempt (EINTR).</exception>
    public async Task<NftTableContent?> ReadTableAsync(NftTableKey table, CancellationToken cancellationToken = default)
    {
        var operation = $"list table {NftChainText.Table(table)}";
        return await ConsistentlyAsync(operation, generation => ReadTableAsync(table, generation, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="NftReadException">
    /// There is no such set (ENOENT), the kernel refused, or the ruleset changed during every attempt (EINTR).
    /// </exception>
    public async Task<uint> ReadElementsAsync(
        NftSet set, Action<NftElement> visit, Action restart, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(restart);
        var isAgain = false;
        return await ConsistentlyAsync(
            $"list set {NftChainText.Table(set.Key.Table)} {set.Key.Name}",
            async generation =>
            {
                if (isAgain) restart();
                isAgain = true;
                await ReadElementsOnceAsync(set, visit, restart, cancellationToken);
                return generation;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<NftChain>> ListChainsAsync(NftTableKey table, CancellationToken cancellationToken = default) =>
        [.. (await ReadChainsAsync(table, cancellationToken)).Values];

    /// <inheritdoc/>
    public async Task VisitRulesAsync(
        NftTableKey table, string? chain, NftRuleVisitor visit, Action restart, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(visit);
        ArgumentNullException.ThrowIfNull(restart);
        var decoder = new NftRuleDecoder(table.Family, new Dictionary<string, NftSet>(), new Dictionary<string, NftElements>());
        using var request = Request(NftMessage.GetRule, table.Family);
        request.PutString(RuleAttribute.Table, table.Name);
        if (chain is not null) request.PutString(RuleAttribute.Chain, chain);
        await DumpAsync(
            $"list rules of {NftChainText.Table(table)}",
            request,
            message =>
            {
                var rule = decoder.Read(message, out var of);
                visit(of, rule);
            },
            restart,
            cancellationToken);
    }

    /// <summary>Reads until nothing was changed meanwhile.</summary>
    private async Task<T> ConsistentlyAsync<T>(string operation, Func<uint, Task<T>> read, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var generation = await GetGenerationAsync(cancellationToken);
            try
            {
                var result = await read(generation);
                if (await GetGenerationAsync(cancellationToken) == generation) return result;
            }
            catch (NftReadException error) when (error.Errno is Errno.NoSuchEntry or Errno.Interrupted && attempt < MaxAttempts)
            {
                // What was there a moment ago may be gone: the end result decides.
                if (await GetGenerationAsync(cancellationToken) == generation) throw;
            }

            if (attempt == MaxAttempts)
                throw new NftReadException(operation, Errno.Interrupted, $"{operation}: the ruleset changed during each of {MaxAttempts} attempts");
        }
    }

    private async Task<NftTableContent?> ReadTableAsync(NftTableKey key, uint generation, CancellationToken cancellationToken)
    {
        var table = (await ListTablesAsync(key.Family, cancellationToken)).FirstOrDefault(table => table.Key == key);
        if (table is null) return null;
        var chains = await ReadChainsAsync(key, cancellationToken);
        var (sets, anonymousSets) = await ReadSetsAsync(key, cancellationToken);
        var anonymous = new Dictionary<string, NftElements>(StringComparer.Ordinal);
        foreach (var set in anonymousSets)
        {
            var elements = new List<NftElement>();
            await ReadElementsOnceAsync(set, elements.Add, elements.Clear, cancellationToken);
            anonymous.Add(set.Key.Name, new NftElements(elements));
            sets.Add(set.Key.Name, set);
        }

        var rules = await ReadRulesAsync(key, chains.Keys, new NftRuleDecoder(key.Family, sets, anonymous), cancellationToken);
        foreach (var set in anonymousSets) sets.Remove(set.Key.Name);
        return new NftTableContent(table, generation)
        {
            Chains = chains,
            Sets = sets,
            Rules = rules,
            Objects = await ReadAllAsync(NftMessage.GetObj, key, ObjectAttribute.Table, NftObjectCodec.Read, item => item.Key.Table, cancellationToken),
            Flowtables = await ReadAllAsync(NftMessage.GetFlowtable, key, FlowtableAttribute.Table, NftFlowtableCodec.Read, flowtable => flowtable.Key.Table, cancellationToken),
        };
    }

    /// <summary>What else is in a table; nothing where the kernel does not have the kind.</summary>
    private async Task<IReadOnlyList<T>> ReadAllAsync<T, TAttribute>(
        NftMessage message, NftTableKey table, TAttribute attribute, Func<NlMessage, T> read, Func<T, NftTableKey> tableOf, CancellationToken cancellationToken)
        where TAttribute : unmanaged, Enum
    {
        var found = new List<T>();
        using var request = Request(message, table.Family);
        request.PutString(attribute, table.Name);
        try
        {
            await DumpAsync(
                "list objects",
                request,
                item =>
                {
                    var one = read(item);
                    if (tableOf(one) == table) found.Add(one);
                },
                found.Clear,
                cancellationToken);
        }
        catch (NftReadException error) when (error.Errno is Errno.NotSupported or Errno.InvalidArgument)
        {
            found.Clear();
        }

        return found;
    }

    private async Task<Dictionary<string, NftChain>> ReadChainsAsync(NftTableKey table, CancellationToken cancellationToken)
    {
        var chains = new Dictionary<string, NftChain>(StringComparer.Ordinal);
        using var request = Request(NftMessage.GetChain, table.Family);
        await DumpAsync(
            "list chains",
            request,
            message =>
            {
                // The kernel has no filter for chains by table.
                var chain = NftObjectDecoder.Chain(message);
                if (chain.Key.Table == table) chains[chain.Key.Name] = chain;
            },
            chains.Clear,
            cancellationToken);
        return chains;
    }

    private async Task<(Dictionary<string, NftSet> Named, List<NftSet> Anonymous)> ReadSetsAsync(
        NftTableKey table, CancellationToken cancellationToken)
    {
        var named = new Dictionary<string, NftSet>(StringComparer.Ordinal);
        var anonymous = new List<NftSet>();
        using var request = Request(NftMessage.GetSet, table.Family);
        request.PutString(SetAttribute.Table, table.Name);
        await DumpAsync(
            "list sets",
            request,
            message =>
            {
                var set = NftSetDecoder.Read(message, out var isAnonymous);
                if (set.Key.Table != table) return;
                if (isAnonymous) anonymous.Add(set);
                else named[set.Key.Name] = set;
            },
            () =>
            {
                named.Clear();
                anonymous.Clear();
            },
            cancellationToken);
        return (named, anonymous);
    }

    private async Task<Dictionary<string, IReadOnlyList<NftRuleInKernel>>> ReadRulesAsync(
        NftTableKey table, IReadOnlyCollection<string> chains, NftRuleDecoder decoder, CancellationToken cancellationToken)
    {
        var rules = new Dictionary<string, List<NftRuleInKernel>>(StringComparer.Ordinal);
        using var request = Request(NftMessage.GetRule, table.Family);
        request.PutString(RuleAttribute.Table, table.Name);
        await DumpAsync(
            "list rules",
            request,
            message =>
            {
                var rule = decoder.Read(message, out var chain);
                if (!rules.TryGetValue(chain, out var list)) rules.Add(chain, list = []);
                list.Add(rule);
            },
            rules.Clear,
            cancellationToken);
        return chains.ToDictionary(
            chain => chain, chain => (IReadOnlyList<NftRuleInKernel>)(rules.GetValueOrDefault(chain) ?? []), StringComparer.Ordinal);
    }

    private async Task ReadElementsOnceAsync(NftSet set, Action<NftElement> visit, Action restart, CancellationToken cancellationToken)
    {
        var decoder = new NftElementDecoder(set, visit);
        using var request = Request(NftMessage.GetSetElem, set.Key.Table.Family);
        request.PutString(ElementListAttribute.Table, set.Key.Table.Name);
        request.PutString(ElementListAttribute.Set, set.Key.Name);
        await DumpAsync(
            $"list set {NftChainText.Table(set.Key.Table)} {set.Key.Name}",
            request,
            decoder.Read,
            () =>
            {
                decoder.Restart();
                restart();
            },
            cancellationToken);
        decoder.Finish();
    }

    private Task DumpAsync(
        string operation, NlMsgWriter request, NlMessageVisitor visit, Action restart, CancellationToken cancellationToken) =>
        ReadAsync(operation, () => _channel.DumpAsync(operation, request, visit, restart, cancellationToken));
}
