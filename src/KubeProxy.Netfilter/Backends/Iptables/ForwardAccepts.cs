using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Iptables;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>
/// Has packets of services accepted in chain FORWARD of table filter before the host's own rules there, which may drop whatever they do not
/// know (policy DROP, as docker and ufw set it): the chain KUBE-FORWARD of upstream's ipvs mode. An accept in a table of our own would not help,
/// because it ends no other table.
/// </summary>
/// <param name="nftables">The kernel; not disposed.</param>
/// <param name="family">The family.</param>
/// <param name="mark">The mark of packets to be masqueraded.</param>
internal sealed class ForwardAccepts(INftables nftables, IpFamily family, uint mark)
{
    private const int Attempts = 10;

    private static readonly IptablesChain Forward = new(IptablesTable.Filter, "FORWARD");

    /// <summary>Whether what somebody else did may have taken the packets' way from them.</summary>
    public static bool Concerns(NftChange change, IpFamily family) => change.Chains.Any(changed =>
        changed.Chain == Chain.Key(family) || (changed.IsRemoval && changed.Chain == Forward.Key(family)));

    /// <summary>The chain.</summary>
    public static IptablesChain Chain { get; } = new(IptablesTable.Filter, ChainNames.Forward);

    private IptablesRule[] Rules =>
    [
        IptablesLayout.Rule(IptablesTarget.Accept, new CommentMatch("kubernetes forwarding rules"), new MarkMatch(mark, mark)),
        IptablesLayout.Rule(
            IptablesTarget.Accept, new CommentMatch("kubernetes forwarding conntrack rule"), new ConntrackMatch(ConntrackStates.Related | ConntrackStates.Established)),
    ];

    private static IptablesRule Jump => IptablesLayout.Jumps.First(jump => jump.Chain == Forward && jump.Rule.JumpChain == Chain.Name).Rule;

    /// <summary>Writes what is missing or different.</summary>
    /// <returns>Whether anything was.</returns>
    /// <exception cref="NftTransactionException">The kernel refused it.</exception>
    /// <exception cref="NftReadException">The kernel refused to tell what there is.</exception>
    public async Task<bool> EnsureAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var transaction = new NftTransaction { ExpectedGeneration = await nftables.GetGenerationAsync(cancellationToken) };
                Plan(await new IptablesClient(nftables, family).ReadAsync(IptablesTable.Filter, cancellationToken), transaction);
                if (transaction.IsEmpty) return false;
                await nftables.CommitAsync(transaction, cancellationToken);
                return true;
            }
            catch (NftTransactionException e) when (e.IsStale && attempt < Attempts)
            {
                // Somebody else was faster: look again.
            }
        }
    }

    private void Plan(IReadOnlyDictionary<string, IptablesChainContent> filter, NftTransaction transaction)
    {
        if (!filter.ContainsKey(Forward.Name))
        {
            transaction.Add(new NftTable(IptablesTable.Filter.Key(family)));
            transaction.Add(Forward.Definition(family));
        }

        var found = filter.GetValueOrDefault(Chain.Name);
        if (found is null || !found.Rules.Select(rule => rule.Rule).SequenceEqual(Rules))
        {
            if (found is null) transaction.Add(Chain.Definition(family));
            else transaction.Flush(Chain.Key(family));
            foreach (var rule in Rules) transaction.Add(Chain.Key(family), IptablesClient.Encode(rule, family));
        }

        if (filter.GetValueOrDefault(Forward.Name)?.Rules.Any(rule => rule.Rule.JumpChain == Chain.Name) != true)
            transaction.Insert(Forward.Key(family), IptablesClient.Encode(Jump, family));
    }
}
