using System.Text.RegularExpressions;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Testing;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>What is in a table, without what depends on its history.</summary>
internal static partial class TableContent
{
    /// <summary>Which slot an endpoint is in depends on the history; which endpoints are in the slots 0 to N-1 does not.</summary>
    public static string Comparable(InMemoryNftables nftables, NftTableKey table)
    {
        var sets = nftables.ReadTableAsync(table).Result!.Sets.Values;
        var slots = sets.Where(set => set.Key.Name.EndsWith("endpoints", StringComparison.Ordinal) && !set.Key.Name.EndsWith("affinity-endpoints", StringComparison.Ordinal));
        var lists = slots.SelectMany(set => nftables.Elements(set.Key).GroupBy(e => Frontend(e.Key)).Select(group =>
            $"{set.Key.Name} {group.Key}: {string.Join(',', group.Select(e => Index(e.Key)).Order())} = {string.Join(',', group.Select(e => e.Data.ToString()).Order())}"));
        var text = nftables.Dump().Split('\n').Where(line => !Slot().IsMatch(line) && !Number().IsMatch(line)).Select(line => RelayPort().Replace(line, "port"));
        return string.Join('\n', [.. text, .. lists.Order(StringComparer.Ordinal), .. Affinity(nftables, sets).Order(StringComparer.Ordinal)]);
    }

    /// <summary>
    /// Which numbers service ports with session affinity and their endpoints have depends on the history. What a frontend leads to does not: how
    /// long clients are remembered, and which endpoints there are, in slots without a gap.
    /// </summary>
    private static IEnumerable<string> Affinity(InMemoryNftables nftables, IEnumerable<NftSet> sets)
    {
        var all = sets.Where(set => set.Key.Name.Contains("affinity", StringComparison.Ordinal)).ToDictionary(set => set.Key.Name, set => nftables.Elements(set.Key));
        foreach (var (map, frontend) in all.Where(set => set.Key.EndsWith("ips", StringComparison.Ordinal) || set.Key.EndsWith("ports", StringComparison.Ordinal)).SelectMany(set => set.Value.Select(e => (set.Key, e))))
        {
            var number = frontend.Data.ToString();
            var kind = map is "affinity-ips" or "affinity-nodeports" ? "affinity-" : "local-affinity-";
            var slots = all[kind + "slots"].Where(e => Frontend(e.Key) == Convert.ToHexString(frontend.Data.Span)).ToList();
            var endpoints = slots.Select(slot => all[kind + "endpoints"].Single(e => e.Key.Equals(slot.Data)).Data.ToString()).Order();
            var named = all.Where(set => set.Value.Any(e => e.Key.ToString() == number) && !set.Key.EndsWith("endpoints", StringComparison.Ordinal)).Select(set => set.Key).Order(StringComparer.Ordinal);
            yield return $"{map} {frontend.Key} {frontend.Comment}: {string.Join(',', slots.Select(e => Index(e.Key)).Order())} = {string.Join(',', endpoints)} in {string.Join(',', named)}";
        }
    }

    private static string Frontend(NftData key) => Convert.ToHexString(key.Span[..^4]);

    private static uint Index(NftData key) => BitConverter.ToUInt32(key.Span[^4..]);

    [GeneratedRegex(@" : [0-9a-f.:]+ \. [0-9]+")]
    private static partial Regex Slot();

    [GeneratedRegex(@"^(\t\telements = \{|\t\t\t    ).*(\b0\.0\.\d+\.\d+|(?<![0-9a-f:])::[0-9a-f]+)\b")]
    private static partial Regex Number();

    [GeneratedRegex(@"(?<=tproxy to \S+:|dnat (?:tcp|udp) dport )[0-9]+")]
    private static partial Regex RelayPort();
}
