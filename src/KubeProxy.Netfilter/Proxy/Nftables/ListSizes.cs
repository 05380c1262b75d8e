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
            if (Balancing.SizeOf(chain) is { } size && size.CompareTo(Largest) > 0) Largest = size;
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
