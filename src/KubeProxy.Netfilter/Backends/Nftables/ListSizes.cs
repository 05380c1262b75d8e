using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Backends.Table;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>
/// For which sizes of lists there are chains and sets: for the common ones always, for others as long as a service has such a list. None
/// needs another.
/// </summary>
internal sealed class ListSizes(ServiceMaps maps)
{
    private readonly SortedSet<SizeClass> _sizes = [.. SizeClass.Common.UpTo()];

    /// <summary>The sizes.</summary>
    public IReadOnlyCollection<SizeClass> All => _sizes;

    /// <summary>Notes the chains that were found in the kernel.</summary>
    public void Adopt(IEnumerable<string> chains) => _sizes.UnionWith(chains.Select(EndpointLists.SizeOf).OfType<SizeClass>());

    /// <summary>
    /// Gives the sizes up that the kernel refuses, unless they are always there or in force: the service ports with lists of these sizes are
    /// quarantined. When it is not known which size is refused, that is the largest.
    /// </summary>
    /// <param name="refused">The chains and sets that the kernel refuses; empty when it does not say which.</param>
    /// <param name="quarantine">Takes a service port out.</param>
    /// <returns>Whether any was given up.</returns>
    public bool GiveUp(IReadOnlyCollection<string> refused, Action<RuleOwner> quarantine)
    {
        var candidates = _sizes.Where(size => size.CompareTo(SizeClass.Common) > 0 && !maps.IsInKernel(size)).ToList();
        var named = refused.Select(EndpointLists.SizeOf).OfType<SizeClass>().ToHashSet();
        // Rules that lead to the sizes stand in chains of no size.
        var isUnclear = named.Count == 0 && refused.All(name => EndpointLists.All.Any(lists => lists.Chain == name));
        List<SizeClass> given = isUnclear ? candidates.TakeLast(1).ToList() : candidates.Where(named.Contains).ToList();
        foreach (var size in given)
        {
            foreach (var owner in maps.OwnersOf(size)) quarantine(owner);
            _sizes.Remove(size);
        }

        if (given.Count > 0) _sizes.UnionWith(maps.SizesInUse); // What was in force before comes back.
        return given.Count > 0;
    }

    /// <summary>Sees what the services need now.</summary>
    /// <param name="shrink">
    /// Whether those go that are no longer needed. They stay until the periodic check, so that a service that grows and shrinks does
    /// not make and delete them.
    /// </param>
    /// <returns>Whether there are others than before.</returns>
    public bool Update(bool shrink)
    {
        SizeClass[] before = [.. _sizes], needed = [.. SizeClass.Common.UpTo(), .. maps.SizesInUse];
        if (shrink) _sizes.IntersectWith(needed);
        _sizes.UnionWith(needed);
        return !_sizes.SequenceEqual(before);
    }
}
