using System.Collections.Immutable;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>How to turn the rules of a chain into others: those at the beginning and at the end that stay are not touched.</summary>
/// <param name="Deleted">The handles to delete.</param>
/// <param name="Inserted">The rules to insert, in order.</param>
/// <param name="Before">The handle before which they go; null for the end of the chain.</param>
internal sealed record ChainEdit(IReadOnlyList<ulong> Deleted, ImmutableArray<IptablesRule> Inserted, ulong? Before)
{
    public static ChainEdit Between(List<(IptablesRule Rule, ulong Handle)> found, ImmutableArray<IptablesRule> wanted)
    {
        var shorter = Math.Min(found.Count, wanted.Length);
        var head = 0;
        while (head < shorter && found[head].Rule.Equals(wanted[head])) head++;
        var tail = 0;
        while (tail < shorter - head && found[^(tail + 1)].Rule.Equals(wanted[^(tail + 1)])) tail++;
        return new ChainEdit(
            [.. found[head..^tail].Select(rule => rule.Handle)],
            wanted[head..^tail],
            tail == 0 ? null : found[^tail].Handle);
    }
}
