namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>For which sizes of lists there are chains and sets.</summary>
internal sealed class ListSizes(ServiceMaps maps)
{
    /// <summary>The largest one.</summary>
    public SizeClass Largest { get; private set; } = SizeClass.Common;

    /// <summary>Notes the chains that were found in the kernel.</summary>
    public void Adopt(IEnumerable<string> chains)
    {
        foreach (var chain in chains)
            if (EndpointLists.SizeOf(chain) is { } size && size.CompareTo(Largest) > 0) Largest = size;
    }

    /// <summary>
    /// Gives the largest size up, if it is not one that is always there and what the kernel refuses belongs to one of these: the service ports
    /// with lists of that size are quarantined.
    /// </summary>
    /// <param name="refused">The chains and sets that the kernel refuses; empty when it does not say which.</param>
    /// <param name="quarantine">Takes a service port out.</param>
    /// <returns>Whether it was given up.</returns>
    public bool GiveUp(IReadOnlyCollection<string> refused, Action<RuleOwner> quarantine)
    {
        if (Largest == SizeClass.Common || maps.IsInKernel(Largest)) return false;
        if (refused.Count > 0 && !refused.Any(name => EndpointLists.SizeOf(name) is { } size && size.CompareTo(SizeClass.Common) > 0)) return false;
        foreach (var owner in maps.OwnersOf(Largest)) quarantine(owner);
        Largest = maps.LargestInUse;
        return true;
    }

    /// <summary>Sees what the services need now.</summary>
    /// <param name="shrink">
    /// Whether those go that are no longer needed. They stay until the periodic check, so that a service that grows and shrinks does
    /// not make and delete them.
    /// </param>
    /// <returns>Whether the largest one changed.</returns>
    public bool Update(bool shrink)
    {
        var (before, needed) = (Largest, maps.LargestInUse);
        if (shrink || needed.CompareTo(Largest) > 0) Largest = needed;
        return Largest != before;
    }
}
