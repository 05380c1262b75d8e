using System.Globalization;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>
/// The names of what belongs to one kind of endpoint lists: those of virtual IPs and of node ports, with all endpoints and with
/// those on this node only.
/// </summary>
/// <param name="Map">The map from slots to endpoints.</param>
/// <param name="Chain">The chain that looks up how long the list is.</param>
/// <param name="ChainPrefix">What the names of the chains that choose a slot begin with; the number of slots follows.</param>
/// <param name="SetPrefix">What the names of the sets of frontends begin with; the number of slots follows.</param>
/// <param name="AffinityMap">The map of the frontends with session affinity.</param>
/// <param name="NodePorts">Whether keys are without an address.</param>
internal sealed record EndpointLists(string Map, string Chain, string ChainPrefix, string SetPrefix, string AffinityMap, bool NodePorts)
{
    /// <summary>Virtual IPs.</summary>
    public static EndpointLists Ips { get; } =
        new(FixedSets.Endpoints, "service-endpoints", "endpoints-", "service-ips-", "affinity-service-ips", NodePorts: false);

    /// <summary>Virtual IPs, policy Local, from outside.</summary>
    public static EndpointLists LocalIps { get; } =
        new(FixedSets.LocalEndpoints, "local-service-endpoints", "local-endpoints-", "local-service-ips-", "affinity-local-service-ips", NodePorts: false);

    /// <summary>Node ports.</summary>
    public static EndpointLists Ports { get; } =
        new(FixedSets.NodePortEndpoints, "nodeport-service-endpoints", "nodeport-endpoints-", "service-nodeports-", "affinity-service-nodeports", NodePorts: true);

    /// <summary>Node ports, policy Local, from outside.</summary>
    public static EndpointLists LocalPorts { get; } = new(
        FixedSets.LocalNodePortEndpoints, "local-nodeport-service-endpoints", "local-nodeport-endpoints-", "local-service-nodeports-",
        "affinity-local-service-nodeports", NodePorts: true);

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<EndpointLists> All { get; } = [Ips, LocalIps, Ports, LocalPorts];

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
