using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Iptables.Wire;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>Makes single writes.</summary>
internal sealed class IptablesWrites(IptablesState state, IpFamily family)
{
    private static readonly Action Nothing = () => { };

    public PendingWrite AddTable(IptablesTable table, Action acknowledge) => new()
    {
        Count = 1,
        AddTo = transaction => transaction.Add(new NftTable(table.Key(family))),
        Acknowledge = acknowledge,
        OwnerOf = _ => null,
    };

    public PendingWrite AddChain(IptablesChain chain, Action acknowledge) =>
        OfChain(chain, 1, transaction => transaction.Add(chain.Definition(family)), acknowledge);

    public PendingWrite Flush(IptablesChain chain, Action? acknowledge) =>
        OfChain(chain, 1, transaction => transaction.Flush(chain.Key(family)), acknowledge);

    public PendingWrite DeleteChain(IptablesChain chain, Action acknowledge) =>
        OfChain(chain, 1, transaction => transaction.Delete(chain.Key(family)), acknowledge);

    public PendingWrite Delete(IptablesChain chain, ulong handle, Action? acknowledge) =>
        OfChain(chain, 1, transaction => transaction.Delete(chain.Key(family), handle), acknowledge);

    /// <param name="chain">The chain.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="acknowledge">Notes that it is there.</param>
    /// <param name="shared">The rule as a shared one, which has an owner of its own; null when the chain's owner is the rule's.</param>
    public PendingWrite Append(IptablesChain chain, IptablesRule rule, Action? acknowledge, SharedRule? shared = null) =>
        OfRule(chain, rule, transaction => transaction.Add(chain.Key(family), IptablesRuleEncoder.Encode(rule, family)), acknowledge, shared);

    /// <param name="chain">The chain.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="before">The handle of the rule before which it goes; null for the beginning of the chain.</param>
    /// <param name="acknowledge">Notes that it is there.</param>
    /// <param name="shared">The rule as a shared one, which has an owner of its own; null when the chain's owner is the rule's.</param>
    public PendingWrite Insert(IptablesChain chain, IptablesRule rule, ulong? before, Action? acknowledge, SharedRule? shared = null) =>
        OfRule(chain, rule, transaction => transaction.Insert(chain.Key(family), IptablesRuleEncoder.Encode(rule, family), before), acknowledge, shared);

    private PendingWrite OfChain(IptablesChain chain, int count, Func<NftTransaction, NftTransaction> addTo, Action? acknowledge) => new()
    {
        Count = count,
        AddTo = addTo,
        Acknowledge = acknowledge ?? Nothing,
        OwnerOf = _ => OwnerOf(chain),
    };

    private PendingWrite OfRule(
        IptablesChain chain, IptablesRule rule, Func<NftTransaction, NftTransaction> addTo, Action? acknowledge, SharedRule? shared) => new()
    {
        Count = 1,
        AddTo = addTo,
        Acknowledge = () =>
        {
            state.Tally.Write(chain);
            acknowledge?.Invoke();
        },
        OwnerOf = _ => shared is { } key ? state.Rules.TryGetDesired(key, out Placement _, out var owner) ? owner : null : OwnerOf(chain),
        Text = () => $"{(family == IpFamily.IPv4 ? "iptables" : "ip6tables")} -t {chain.Table.NftName()} {IptablesText.Line(chain.Name, rule, family)}",
    };

    private RuleOwner? OwnerOf(IptablesChain chain) => state.Chains.TryGetDesired(chain, out ChainContent? _, out var owner) ? owner : null;
}
