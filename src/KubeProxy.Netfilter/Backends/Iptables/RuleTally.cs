using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>How many rules of ours there should be, and how many the last sync wrote. May be read by any thread.</summary>
internal sealed class RuleTally
{
    private readonly long[] _wanted = new long[IptablesLayout.Tables.Length];
    private readonly long[] _written = new long[IptablesLayout.Tables.Length];
    private readonly Dictionary<RuleOwner, (int Table, int Count)[]> _ofOwner = [];

    /// <summary>Those that should be in the table.</summary>
    public long Wanted(IptablesTable table) => Volatile.Read(ref _wanted[(int)table]);

    /// <summary>Those that were written to it in the last sync.</summary>
    public long Written(IptablesTable table) => Volatile.Read(ref _written[(int)table]);

    /// <summary>A sync begins.</summary>
    public void Begin() => Array.Clear(_written);

    /// <summary>A rule was written.</summary>
    public void Write(IptablesChain chain)
    {
        if (Counts(chain)) _written[(int)chain.Table]++;
    }

    /// <summary>The owner wants these rules, and none of those before. As upstream does, what leads to our chains does not count.</summary>
    public void Set(
        RuleOwner owner, IReadOnlyList<KeyValuePair<IptablesChain, ChainContent>> chains, IReadOnlyList<KeyValuePair<SharedRule, Placement>> rules)
    {
        Remove(owner);
        Span<int> counts = stackalloc int[_wanted.Length];
        foreach (var (chain, content) in chains) counts[(int)chain.Table] += content.Count;
        foreach (var (rule, _) in rules)
            if (Counts(rule.Chain)) counts[(int)rule.Chain.Table]++;
        var used = new (int Table, int Count)[counts.Length - counts.Count(0)];
        for (int table = 0, i = 0; table < counts.Length; table++)
        {
            if (counts[table] == 0) continue;
            used[i++] = (table, counts[table]);
            _wanted[table] += counts[table];
        }

        _ofOwner[owner] = used;
    }

    /// <summary>The owner wants no rules any more.</summary>
    public void Remove(RuleOwner owner)
    {
        if (!_ofOwner.Remove(owner, out var counts)) return;
        foreach (var (table, count) in counts) _wanted[table] -= count;
    }

    private static bool Counts(IptablesChain chain) => !chain.IsStandard();
}
