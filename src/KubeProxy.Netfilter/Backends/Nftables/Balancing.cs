using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>
/// The chains that choose an endpoint. nf_tables can draw a random slot only from a constant number of slots, so there is a chain
/// for each size of list. It draws until it hits a slot that is taken, which makes all endpoints equally likely; after
/// <see cref="Draws"/> misses it draws from the first half of the slots, which are all taken. Every chain ends there and leads to no
/// other: the kernel allows 16 jumps in a row, whichever way a packet takes, so chains that lead to the next smaller size would limit
/// the length of lists, and the longest list would have all rules refused. For session affinity the choice is the number of an endpoint,
/// which is put into the destination address: see <see cref="AffinityLayout"/>.
/// <para>
/// No element of any of these sets and maps has a verdict: the kernel would look through the whole table whenever one is added.
/// </para>
/// </summary>
internal sealed class Balancing(RuleParts parts)
{
    // More than half of the slots are taken, so all of these miss in less than 0.4 % of all cases, whatever the length of the list.
    // Then the last slots, less than half of them, are left out. A rule more costs nothing but to those that miss so often.
    private const int Draws = 8;

    /// <summary>The chains of some kinds of lists.</summary>
    /// <param name="sizes">The sizes of lists that there are.</param>
    /// <param name="kinds">The kinds of lists that there are.</param>
    public IEnumerable<ChainDefinition> Chains(IReadOnlyCollection<SizeClass> sizes, IReadOnlyCollection<EndpointLists> kinds) => kinds.SelectMany(lists =>
        sizes.Select(size => parts.Chain(lists.ChainOf(size), [.. Choose(lists, size)])).Append(parts.Chain(lists.Chain, [.. Sort(lists, sizes, kinds)])));

    private IEnumerable<NftRule> Sort(EndpointLists lists, IEnumerable<SizeClass> sizes, IReadOnlyCollection<EndpointLists> kinds)
    {
        var owner = parts.OwnerOf(lists);
        foreach (var size in sizes)
            yield return new NftRule(new NftSetMatch(owner, lists.SetOf(size)), RuleParts.Goto(lists.ChainOf(size)));
        if (lists.AffinityMap is { } map && kinds.Contains(EndpointLists.Affinity)) yield return Remembering(map, AffinityLayout.Chain);
        if (lists.LocalAffinityMap is { } local && kinds.Contains(EndpointLists.LocalAffinity)) yield return Remembering(local, AffinityLayout.LocalChain);

        NftRule Remembering(string frontends, string chain) =>
            new(new NftSetPayload(parts.SaddrField, new NftMapLookup(owner, frontends)), RuleParts.Goto(chain));
    }

    private IEnumerable<NftRule> Choose(EndpointLists lists, SizeClass size)
    {
        // Lists of the two smallest sizes are full.
        if (size.Slots <= 2) return [Draw(lists, size)];
        return Enumerable.Repeat(Draw(lists, size), Draws).Append(Draw(lists, size.Smaller));
    }

    private NftRule Draw(EndpointLists lists, SizeClass size)
    {
        var number = new NftNumgen((uint)size.Slots);
        if (lists.Owner == ListOwner.ServicePort)
            return new NftRule(new NftSetPayload(parts.DaddrField, new NftMapLookup(new NftConcat(parts.Saddr, number), lists.Map)), RuleParts.Return);
        var slot = new NftConcat([.. parts.FrontendOf(lists.NodePorts).Parts, number]);
        return new NftRule(NftNat.Dnat(new NftMapLookup(slot, lists.Map), null, targetHasPort: true, parts.Family == IpFamily.IPv6));
    }
}
