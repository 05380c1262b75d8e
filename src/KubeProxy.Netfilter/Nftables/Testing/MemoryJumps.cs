using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Validation;

namespace KubeProxy.Netfilter.Nftables.Testing;

/// <summary>
/// The kernel's limits on jumps (EMLINK): 16 deep from a base chain, which a loop exceeds too, and, in newer kernels, how many can be
/// visited from all base chains of a network namespace.
/// </summary>
internal static class MemoryJumps
{
    private const int MaxDepth = 16; // NFT_JUMP_STACK_SIZE

    /// <summary>EMLINK or null.</summary>
    /// <param name="tables">All of them.</param>
    /// <param name="max"><c>nf_tables_jumps_max_netns</c>; null: no limit.</param>
    public static int? Check(IReadOnlyCollection<MemoryTable> tables, long? max) =>
        tables.Any(TooDeep) || Count(tables) > max ? NftErrno.Emlink : null;

    /// <summary>
    /// How many jumps and gotos a depth-first walk from the base chains meets, each as often as there are ways to it, for the family that
    /// has more. A verdict map is one way to each of its chains, and counts as its worst one: it matches once.
    /// </summary>
    public static long Count(IReadOnlyCollection<MemoryTable> tables)
    {
        long both = Of(table => table.Table.Key.Family is not (NftFamily.Ip or NftFamily.Ip6));
        return both + Math.Max(Of(table => table.Table.Key.Family == NftFamily.Ip), Of(table => table.Table.Key.Family == NftFamily.Ip6));

        long Of(Func<MemoryTable, bool> which) => tables.Where(which).Sum(CountIn);
    }

    private static long CountIn(MemoryTable table)
    {
        var known = new Dictionary<string, long>(StringComparer.Ordinal);
        return table.Chains.Values.Where(chain => chain.Chain.Base is not null).Sum(From);

        long From(MemoryChain chain)
        {
            var name = chain.Chain.Key.Name;
            if (known.TryGetValue(name, out var count)) return count;
            foreach (var rule in chain.Rules)
            {
                count += Chains(NftReferences.Verdicts(rule.Rule)).Sum(Visit);
                count += NftReferences.Sets(rule.Rule).Sum(set => Chains(Verdicts(table, set)).Select(Visit).DefaultIfEmpty().Max());
            }

            return known[name] = count;
        }

        long Visit(string target) => 1 + From(table.Chains[target]);
    }

    private static bool TooDeep(MemoryTable table)
    {
        var depths = new Dictionary<string, int>(StringComparer.Ordinal);
        return table.Chains.Values.Any(chain => chain.Chain.Base is not null && Depth(table, chain, depths, 0) >= MaxDepth);
    }

    /// <summary>How many chains deep it goes from there; <see cref="MaxDepth"/> or more for a loop.</summary>
    private static int Depth(MemoryTable table, MemoryChain chain, Dictionary<string, int> depths, int level)
    {
        if (level >= MaxDepth) return MaxDepth;
        if (depths.TryGetValue(chain.Chain.Key.Name, out var known)) return known;
        var depth = 0;
        foreach (var target in Targets(table, chain))
            depth = Math.Max(depth, 1 + Depth(table, table.Chains[target], depths, level + 1));
        return depths[chain.Chain.Key.Name] = depth;
    }

    private static IEnumerable<string> Targets(MemoryTable table, MemoryChain chain) => Chains(
        chain.Rules.SelectMany(rule => NftReferences.Verdicts(rule.Rule))
            .Concat(chain.Rules.SelectMany(rule => NftReferences.Sets(rule.Rule)).Distinct().SelectMany(set => Verdicts(table, set))))
        .Distinct(StringComparer.Ordinal);

    private static IEnumerable<NftVerdict> Verdicts(MemoryTable table, string set) =>
        table.Sets[set].Elements.Values.Select(element => element.Verdict).OfType<NftVerdict>();

    private static IEnumerable<string> Chains(IEnumerable<NftVerdict> verdicts) => verdicts.Select(verdict => verdict.Chain).OfType<string>();
}
