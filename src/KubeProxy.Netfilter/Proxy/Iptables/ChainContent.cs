using System.Collections.Immutable;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Proxy.Iptables;

/// <summary>
/// What a chain holds: its rules, when one owner has the chain for itself; otherwise only that the chain is there, and its rules
/// are <see cref="SharedRule"/>s.
/// </summary>
internal sealed class ChainContent(ImmutableArray<IptablesRule> rules, bool isShared = false) : IEquatable<ChainContent>
{
    /// <summary>A chain of shared rules.</summary>
    public static ChainContent Shared { get; } = new([], isShared: true);

    public ImmutableArray<IptablesRule> Rules { get; } = rules;

    public bool IsShared { get; } = isShared;

    public bool Equals(ChainContent? other) =>
        other is not null && IsShared == other.IsShared && Rules.AsSpan().SequenceEqual(other.Rules.AsSpan());

    /// <summary>Whether both are the same when comments that only one of them has do not count.</summary>
    public bool EqualsButForComments(ChainContent other)
    {
        if (IsShared != other.IsShared || Rules.Length != other.Rules.Length) return false;
        for (var i = 0; i < Rules.Length; i++)
        {
            if (!Rules[i].Equals(other.Rules[i]) && !Uncommented(Rules[i]).Equals(other.Rules[i]) && !Rules[i].Equals(Uncommented(other.Rules[i])))
                return false;
        }

        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as ChainContent);

    public override int GetHashCode() => HashCode.Combine(IsShared, Rules.Length);

    private static IptablesRule Uncommented(IptablesRule rule) => rule with { Matches = rule.Matches.RemoveAll(match => match is CommentMatch) };
}
