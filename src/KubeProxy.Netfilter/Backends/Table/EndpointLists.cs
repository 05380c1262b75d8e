using System.Globalization;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>What the lists of one kind belong to.</summary>
internal enum ListOwner
{
    /// <summary>Frontends with an address.</summary>
    Frontend,

    /// <summary>Node ports: keys are without an address.</summary>
    NodePort,

    /// <summary>Service ports with session affinity, by their number (see <see cref="AffinityNumber"/>). Their lists hold numbers of endpoints.</summary>
    ServicePort,
}

/// <summary>
/// The names of what belongs to one kind of endpoint lists: those of virtual IPs and of node ports, with all endpoints and with
/// those on this node only.
/// </summary>
/// <param name="Map">The map from slots to endpoints.</param>
/// <param name="Chain">The chain that looks up how long the list is.</param>
/// <param name="ChainPrefix">What the names of the chains that choose a slot begin with; the number of slots follows.</param>
/// <param name="SetPrefix">What the names of the sets of those who have lists begin with; the number of slots follows.</param>
/// <param name="Owner">Who has lists of this kind.</param>
internal sealed record EndpointLists(string Map, string Chain, string ChainPrefix, string SetPrefix, ListOwner Owner)
{
    /// <summary>Virtual IPs.</summary>
    public static EndpointLists Ips { get; } = new(FixedSets.Endpoints, "service-endpoints", "endpoints-", "service-ips-", ListOwner.Frontend)
    {
        AffinityMap = "affinity-ips", LocalAffinityMap = "affinity-internal-ips",
    };

    /// <summary>Virtual IPs, policy Local, from outside.</summary>
    public static EndpointLists LocalIps { get; } =
        new(FixedSets.LocalEndpoints, "local-service-endpoints", "local-endpoints-", "local-service-ips-", ListOwner.Frontend) { LocalAffinityMap = "affinity-local-ips" };

    /// <summary>Node ports.</summary>
    public static EndpointLists Ports { get; } =
        new(FixedSets.NodePortEndpoints, "nodeport-service-endpoints", "nodeport-endpoints-", "service-nodeports-", ListOwner.NodePort) { AffinityMap = "affinity-nodeports" };

    /// <summary>Node ports, policy Local, from outside.</summary>
    public static EndpointLists LocalPorts { get; } = new(
        FixedSets.LocalNodePortEndpoints, "local-nodeport-service-endpoints", "local-nodeport-endpoints-", "local-service-nodeports-", ListOwner.NodePort)
    {
        LocalAffinityMap = "affinity-local-nodeports",
    };

    /// <summary>Service ports with session affinity.</summary>
    public static EndpointLists Affinity { get; } = new("affinity-slots", "affinity-draw", "affinity-draw-", "affinity-services-", ListOwner.ServicePort);

    /// <summary>Service ports with session affinity, policy Local.</summary>
    public static EndpointLists LocalAffinity { get; } =
        new("local-affinity-slots", "local-affinity-draw", "local-affinity-draw-", "local-affinity-services-", ListOwner.ServicePort);

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<EndpointLists> All { get; } = [Ips, LocalIps, Ports, LocalPorts, Affinity, LocalAffinity];

    /// <summary>The map of the frontends with session affinity whose connections go to all endpoints; null for none.</summary>
    public string? AffinityMap { get; init; }

    /// <summary>The map of the frontends with session affinity whose connections go to endpoints on this node; null for none.</summary>
    public string? LocalAffinityMap { get; init; }

    /// <summary>Whether keys are without an address.</summary>
    public bool NodePorts => Owner == ListOwner.NodePort;

    /// <summary>The size that a chain or set is for; null for others.</summary>
    public static SizeClass? SizeOf(string name)
    {
        foreach (var prefix in All.SelectMany(lists => new[] { lists.ChainPrefix, lists.SetPrefix }))
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal)
                && int.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var slots) && slots > 0)
                return SizeClass.Of(slots);
        }

        return null;
    }

    /// <summary>The set of the frontends with lists of that size.</summary>
    public string SetOf(SizeClass size) => $"{SetPrefix}{size.Slots}";

    /// <summary>The chain that chooses a slot in lists of that size.</summary>
    public string ChainOf(SizeClass size) => $"{ChainPrefix}{size.Slots}";
}
