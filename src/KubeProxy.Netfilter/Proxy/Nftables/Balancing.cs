using System.Collections.Immutable;
using System.Globalization;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>
/// The chains that choose an endpoint. nf_tables can draw a random slot only from a constant number of slots, so there is a chain
/// for each size of list. It draws until it hits a slot that is taken, which makes all endpoints equally likely; after
/// <see cref="Draws"/> misses it goes on to the next smaller size, whose slots are all taken.
/// <para>
/// No element of any of these sets and maps has a verdict: the kernel would look through the whole table whenever one is added.
/// </para>
/// </summary>
internal sealed class Balancing(RuleParts parts)
{
    // More than half of the slots are taken, so all of these miss in less than 1.6 % of all cases, whatever the length of the list.
    // Then the last slots, less than half of them, are left out.
    private const int Draws = 6;

    /// <summary>The chains of some kinds of lists.</summary>
    /// <param name="largest">The longest lists that there are.</param>
    /// <param name="kinds">The kinds of lists that there are.</param>
    public IEnumerable<ChainDefinition> Chains(SizeClass largest, IEnumerable<EndpointLists> kinds) => kinds.SelectMany(lists =>
        largest.UpTo().Select(size => parts.Chain(lists.ChainOf(size), [.. Choose(lists, size)])).Append(parts.Chain(lists.Chain, [.. Sort(lists, largest)])));

    /// <summary>The size that one of the chains is for; null for other chains.</summary>
    public static SizeClass? SizeOf(string chain)
    {
        foreach (var lists in EndpointLists.All)
        {
            if (chain.StartsWith(lists.ChainPrefix, StringComparison.Ordinal)
                && int.TryParse(chain.AsSpan(lists.ChainPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var slots) && slots > 0)
                return SizeClass.Of(slots);
        }

        return null;
    }

    private IEnumerable<NftRule> Sort(EndpointLists lists, SizeClass largest)
    {
        var frontend = parts.FrontendOf(lists.NodePorts);
        foreach (var size in largest.UpTo())
            yield return new NftRule(new NftSetMatch(frontend, lists.SetOf(size)), RuleParts.Goto(lists.ChainOf(size)));
        yield return new NftRule(new NftVerdictMapStatement(frontend, lists.AffinityMap));
    }

    private IEnumerable<NftRule> Choose(EndpointLists lists, SizeClass size)
    {
        var slot = new NftConcat([.. parts.FrontendOf(lists.NodePorts).Parts, new NftNumgen((uint)size.Slots)]);
        var draw = new NftRule(new NftDnat(new NftMapLookup(slot, lists.Map), null, TargetHasPort: true, parts.Family == IpFamily.IPv6));
        // Lists of the two smallest sizes are full.
        if (size.Slots <= 2) return [draw];
        return Enumerable.Repeat(draw, Draws).Append(new NftRule(RuleParts.Goto(lists.ChainOf(size.Smaller))));
    }
}
