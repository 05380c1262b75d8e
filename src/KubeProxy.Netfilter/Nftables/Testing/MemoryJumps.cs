using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netfilter.Nftables.Validation;

namespace KubeProxy.Netfilter.Nftables.Testing;

/// <summary>The kernel's limit on jumps: 16 deep from a base chain, which a loop exceeds too (EMLINK).</summary>
internal static class MemoryJumps
{
    private const int MaxDepth = 16; // NFT_JUMP_STACK_SIZE

    public static int? Check(IEnumerable<MemoryTable> tables) => tables.Any(TooDeep) ? NftErrno.Emlink : null;

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

    private static IEnumerable<string> Targets(MemoryTable table, MemoryChain chain)
    {
        var verdicts = chain.Rules.SelectMany(rule => NftReferences.Verdicts(rule.Rule));
        var maps = chain.Rules.SelectMany(rule => NftReferences.Sets(rule.Rule)).Distinct().Select(name => table.Sets[name]);
        return verdicts.Concat(maps.SelectMany(map => map.Elements.Values).Select(element => element.Verdict).OfType<NftVerdict>())
            .Select(verdict => verdict.Chain).OfType<string>().Distinct(StringComparer.Ordinal);
    }
}
