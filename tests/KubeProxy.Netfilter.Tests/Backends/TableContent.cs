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
        var slots = nftables.ReadTableAsync(table).Result!.Sets.Values.Where(set => set.Key.Name.EndsWith("endpoints", StringComparison.Ordinal));
        var lists = slots.SelectMany(set => nftables.Elements(set.Key).GroupBy(e => Frontend(e.Key)).Select(group =>
            $"{set.Key.Name} {group.Key}: {string.Join(',', group.Select(e => Index(e.Key)).Order())} = {string.Join(',', group.Select(e => e.Data.ToString()).Order())}"));
        var text = nftables.Dump().Split('\n').Where(line => !Slot().IsMatch(line)).Select(line => RelayPort().Replace(line, ":port"));
        return string.Join('\n', [.. text, .. lists.Order(StringComparer.Ordinal)]);
    }

    private static string Frontend(NftData key) => Convert.ToHexString(key.Span[..^4]);

    private static uint Index(NftData key) => BitConverter.ToUInt32(key.Span[^4..]);

    [GeneratedRegex(@" : [0-9a-f.:]+ \. [0-9]+")]
    private static partial Regex Slot();

    [GeneratedRegex(@"(?<=tproxy to \S+):[0-9]+")]
    private static partial Regex RelayPort();
}
