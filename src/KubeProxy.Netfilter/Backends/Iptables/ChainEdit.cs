using System.Collections.Immutable;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>How to turn the rules of a chain into others: those at the beginning and at the end that stay are not touched.</summary>
/// <param name="Deleted">The handles to delete.</param>
/// <param name="Inserted">The rules to insert, in order.</param>
/// <param name="Before">The handle before which they go; null for the end of the chain.</param>
internal sealed record ChainEdit(IReadOnlyList<ulong> Deleted, ImmutableArray<IptablesRule> Inserted, ulong? Before)
{
    // The kernel finds a handle by going through the rules from the first on, those that are being deleted included. A rule that is written takes it
    // as long as some thousands of these steps.
    private const long StepsOfRule = 5_000;

    /// <summary>Whether that takes the kernel no longer than to empty the chain and to write all of its rules.</summary>
    /// <param name="found">How many rules there are.</param>
    /// <param name="wanted">How many there will be.</param>
    public bool IsWorthwhile(int found, int wanted) =>
        (Deleted.Count + (Before is null ? 0L : Inserted.Length)) * found <= StepsOfRule * (found + (long)wanted);

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
