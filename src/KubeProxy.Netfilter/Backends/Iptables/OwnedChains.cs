using System.Collections.Frozen;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>Whose a chain is.</summary>
internal enum ChainKind
{
    /// <summary>Somebody else's.</summary>
    NotOurs,

    /// <summary>Ours, with a content that one owner decides.</summary>
    Own,

    /// <summary>Ours, with rules of many owners.</summary>
    Shared,

    /// <summary>Everybody's: some of the rules are ours.</summary>
    Foreign,
}

/// <summary>Tells ours from others' in the standard tables.</summary>
internal sealed class OwnedChains(IptablesRule firewall)
{
    private static readonly FrozenDictionary<IptablesChain, ChainKind> Fixed = IptablesLayout.SharedChains.Select(chain => (chain, ChainKind.Shared))
        .Concat(IptablesLayout.ForeignChains.Select(chain => (chain, ChainKind.Foreign)))
        .Concat(IptablesLayout.FixedChains.Select(chain => (chain, ChainKind.Own)))
        .ToFrozenDictionary(pair => pair.chain, pair => pair.Item2);

    private static readonly FrozenSet<SharedRule> Jumps = IptablesLayout.Jumps.ToFrozenSet();

    public static ChainKind KindOf(IptablesChain chain) =>
        Fixed.TryGetValue(chain, out var kind) ? kind : ChainNames.IsOfServicePort(chain) ? ChainKind.Own : ChainKind.NotOurs;

    /// <summary>Whether a rule in a <see cref="ChainKind.Foreign"/> chain is ours.</summary>
    public bool IsOurs(SharedRule rule) => Jumps.Contains(rule) || (rule.Chain.Name == ChainNames.Firewall && rule.Rule.Equals(firewall));

    /// <summary>Whether the rule has to be after all others of its chain.</summary>
    public static bool IsLast(IptablesChain chain, IptablesRule rule) =>
        chain.Name == ChainNames.Services && rule.JumpChain == ChainNames.NodePorts;

    /// <summary>Whether what somebody else did may concern our rules.</summary>
    public static bool Concerns(NftChange change, IpFamily family)
    {
        // A table can be put to sleep without a change of any chain.
        if (change.ChangedTables.Any(table => IptablesLayout.Tables.Any(ours => ours.Key(family) == table))) return true;
        foreach (var (key, isRemoval) in change.Chains)
        {
            foreach (var table in IptablesLayout.Tables)
            {
                if (key.Table != table.Key(family)) continue;
                var kind = KindOf(new IptablesChain(table, key.Name));
                if (kind is ChainKind.Own or ChainKind.Shared || (kind == ChainKind.Foreign && isRemoval)) return true;
            }
        }

        return false;
    }
}
