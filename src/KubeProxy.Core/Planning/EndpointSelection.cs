using System.Runtime.InteropServices;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>
/// Which endpoints of a service port get traffic: ready ones within the topology hints, else those that terminate but still
/// serve. Order of the input is kept.
/// </summary>
internal readonly struct EndpointSelection
{
    private EndpointSelection(List<EndpointState> cluster, List<EndpointState> local, bool anyUsable) =>
        (Cluster, Local, AnyUsable) = (cluster, local, anyUsable);

    private enum Topology
    {
        None,
        Node,
        Zone,
    }

    /// <summary>For traffic that may leave the node.</summary>
    public List<EndpointState> Cluster { get; }

    /// <summary>For traffic that has to stay on the node.</summary>
    public List<EndpointState> Local { get; }

    /// <summary>Whether any endpoint anywhere could take traffic.</summary>
    public bool AnyUsable { get; }

    public static EndpointSelection Select(ReadOnlySpan<EndpointState> endpoints, string? zone)
    {
        var cluster = new List<EndpointState>(endpoints.Length);
        var local = new List<EndpointState>();
        var topology = TopologyOf(endpoints, zone);
        foreach (ref readonly var endpoint in endpoints)
        {
            if (!endpoint.IsReady) continue;
            if (Allows(topology, endpoint, zone)) cluster.Add(endpoint);
            if (endpoint.IsLocal) local.Add(endpoint);
        }

        // A ready endpoint outside of the topology implies one inside, so an empty list means that none is ready.
        if (cluster.Count == 0) AddFallbacks(endpoints, localOnly: false, cluster);
        if (local.Count == 0) AddFallbacks(endpoints, localOnly: true, local);
        return new EndpointSelection(cluster, local, cluster.Count > 0 || HasFallback(endpoints));
    }

    /// <summary>Addresses that may be on this node among all selected endpoints, sorted, each once.</summary>
    public SortedSet<IpAddr> AddressesThatMayBeHere()
    {
        var result = new SortedSet<IpAddr>();
        foreach (ref readonly var endpoint in CollectionsMarshal.AsSpan(Cluster))
        {
            if (endpoint.MayBeLocal) result.Add(endpoint.Target.Address);
        }

        foreach (ref readonly var endpoint in CollectionsMarshal.AsSpan(Local)) result.Add(endpoint.Target.Address);
        return result;
    }

    /// <summary>
    /// Hints count only when every ready endpoint has one (otherwise the hints are being written) and one is for us
    /// (otherwise we would have nothing). Node hints go before zone hints.
    /// </summary>
    private static Topology TopologyOf(ReadOnlySpan<EndpointState> endpoints, string? zone)
    {
        bool allNode = true, anyNode = false, allZone = !string.IsNullOrEmpty(zone), anyZone = false;
        foreach (ref readonly var endpoint in endpoints)
        {
            if (!endpoint.IsReady) continue;
            allNode &= (endpoint.Flags & EndpointFlags.NodeHinted) != 0;
            anyNode |= (endpoint.Flags & EndpointFlags.HintedToThisNode) != 0;
            allZone &= endpoint.ZoneHints is not null;
            anyZone |= allZone && endpoint.IsHintedTo(zone!);
        }

        if (allNode && anyNode) return Topology.Node;
        return allZone && anyZone ? Topology.Zone : Topology.None;
    }

    private static bool Allows(Topology topology, in EndpointState endpoint, string? zone) => topology switch
    {
        Topology.Node => (endpoint.Flags & EndpointFlags.HintedToThisNode) != 0,
        Topology.Zone => endpoint.IsHintedTo(zone!),
        _ => true,
    };

    private static void AddFallbacks(ReadOnlySpan<EndpointState> endpoints, bool localOnly, List<EndpointState> result)
    {
        foreach (ref readonly var endpoint in endpoints)
        {
            if (endpoint.IsFallback && (endpoint.IsLocal || !localOnly)) result.Add(endpoint);
        }
    }

    private static bool HasFallback(ReadOnlySpan<EndpointState> endpoints)
    {
        foreach (ref readonly var endpoint in endpoints)
        {
            if (endpoint.IsFallback) return true;
        }

        return false;
    }
}
