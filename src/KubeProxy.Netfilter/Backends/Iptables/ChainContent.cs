using System.Collections.Immutable;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>
/// What a chain holds: its rules, when one owner has the chain for itself; otherwise only that the chain is there, and its rules
/// are <see cref="SharedRule"/>s. Compared by the rules.
/// </summary>
internal abstract class ChainContent : IEquatable<ChainContent>
{
    /// <summary>A chain of shared rules.</summary>
    public static ChainContent Shared { get; } = new SharedChain();

    /// <summary>The rules, in order. Made each time: a large cluster has hundreds of thousands, and they are rarely asked for.</summary>
    public abstract ImmutableArray<IptablesRule> Rules { get; }

    /// <summary>The number of rules, without making them.</summary>
    public abstract int Count { get; }

    /// <summary>Whether there are no rules in it, as far as its owner decides.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>Whether the chain's rules are shared ones.</summary>
    public bool IsShared => this is SharedChain;

    public static ChainContent Of(ImmutableArray<IptablesRule> rules) => new FixedChain(rules);

    public bool Equals(ChainContent? other) => ReferenceEquals(this, other)
        || (other is not null && IsShared == other.IsShared && Rules.AsSpan().SequenceEqual(other.Rules.AsSpan()));

    /// <summary>Whether both are the same when comments that only one of them has do not count.</summary>
    public bool EqualsButForComments(ChainContent other)
    {
        var (rules, others) = (Rules, other.Rules);
        if (IsShared != other.IsShared || rules.Length != others.Length) return false;
        for (var i = 0; i < rules.Length; i++)
        {
            if (!rules[i].Equals(others[i]) && !Uncommented(rules[i]).Equals(others[i]) && !rules[i].Equals(Uncommented(others[i])))
                return false;
        }

        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as ChainContent);

    public override int GetHashCode() => HashCode.Combine(IsShared, Rules.Length);

    private static IptablesRule Uncommented(IptablesRule rule) => rule with { Matches = rule.Matches.RemoveAll(match => match is CommentMatch) };

    private sealed class SharedChain : ChainContent
    {
        public override ImmutableArray<IptablesRule> Rules => [];

        public override int Count => 0;
    }

    private sealed class FixedChain(ImmutableArray<IptablesRule> rules) : ChainContent
    {
        public override ImmutableArray<IptablesRule> Rules { get; } = rules;

        public override int Count => Rules.Length;
    }
}
