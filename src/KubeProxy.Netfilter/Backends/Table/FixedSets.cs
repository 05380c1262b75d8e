using System.Collections.Immutable;
using System.Globalization;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>
/// The sets and maps that all services share. Names and types that upstream has too are the same, so that either proxy can
/// take over from the other; what has another type here has a name of its own.
/// </summary>
internal sealed class FixedSets
{
    public const string Endpoints = "endpoints";
    public const string LocalEndpoints = "local-endpoints";
    public const string NodePortEndpoints = "nodeport-endpoints";
    public const string LocalNodePortEndpoints = "local-nodeport-endpoints";
    public const string MasqueradeIps = "masquerade-ips";
    public const string MasqueradeNodePorts = "masquerade-nodeports";
    public const string ExternalLocalIps = "external-local-ips";
    public const string ExternalLocalNodePorts = "external-local-nodeports";
    public const string NoEndpointServices = "no-endpoint-services";
    public const string NoEndpointNodePorts = "no-endpoint-nodeports";
    public const string FirewallServices = "firewall-services";
    public const string FirewallSources = "firewall-sources";
    public const string ClusterIps = "cluster-ips";
    public const string NodePortIps = "nodeport-ips";
    public const string HairpinIps = "hairpin-ips";

    /// <summary>What the names of the sets of service ports begin with whose clients are remembered for some time; the seconds follow.</summary>
    private const string AffinityTimeoutPrefix = "affinity-timeout-";

    public const string AffinityEndpoints = "affinity-endpoints";
    public const string LocalAffinityEndpoints = "local-affinity-endpoints";
    public const string AffinityClients = "affinity-clients";
    public const string LocalAffinityClients = "local-affinity-clients";

    // All clients of all services. The kernel takes memory as they come; this only bounds what an attacker can make it hold.
    private const uint MostClients = 1 << 22;

    /// <summary>Upstream has a verdict map for it, <c>localhost-nodeport-reject-ports</c>.</summary>
    public const string LocalhostNodePorts = "localhost-nodeports";

    private readonly RuleParts _parts;
    private readonly Dictionary<string, NftSet> _sets;

    /// <param name="parts">What keys are made of.</param>
    /// <param name="localhostNodePorts">Whether there is <see cref="LocalhostNodePorts"/>.</param>
    public FixedSets(RuleParts parts, bool localhostNodePorts = false)
    {
        _parts = parts;
        NftDataType[] service = [parts.AddressType, NftDataType.InetProto, NftDataType.InetService];
        NftDataType[] nodePort = [NftDataType.InetProto, NftDataType.InetService];
        NftSet[] all =
        [
            EndpointMap(Endpoints, nodePorts: false, "endpoints of each frontend, in slots numbered from 0"),
            EndpointMap(LocalEndpoints, nodePorts: false, "endpoints on this node of frontends with policy Local"),
            EndpointMap(NodePortEndpoints, nodePorts: true, "endpoints of each node port, in slots numbered from 0"),
            EndpointMap(LocalNodePortEndpoints, nodePorts: true, "endpoints on this node of node ports with policy Local"),
            Set(ClusterIps, [parts.AddressType], "Active ClusterIPs"),
            Set(NodePortIps, [parts.AddressType], "IPs that accept NodePort traffic"),
            .. localhostNodePorts ? [Set(LocalhostNodePorts, nodePort, "node ports, of which loopback addresses accept TCP at most")] : Array.Empty<NftSet>(),
            Set(HairpinIps, [parts.AddressType, parts.AddressType], "endpoints on this node, for connections to themselves"),
            Set(MasqueradeIps, service, "external traffic that is masqueraded: policy Cluster"),
            Set(MasqueradeNodePorts, nodePort, "node port traffic that is masqueraded: policy Cluster"),
            Set(ExternalLocalIps, service, "external traffic with policy Local"),
            Set(ExternalLocalNodePorts, nodePort, "node port traffic with policy Local"),
            VerdictMap(NoEndpointServices, service, "vmap to drop or reject packets to services with no endpoints"),
            VerdictMap(NoEndpointNodePorts, nodePort, "vmap to drop or reject packets to service nodeports with no endpoints"),
            NumberMap(EndpointLists.Affinity.Map, "endpoints of each service port with session affinity, by number, in slots numbered from 0"),
            NumberMap(EndpointLists.LocalAffinity.Map, "the same, those on this node"),
            Map(AffinityEndpoints, [parts.AddressType], [parts.AddressType, NftDataType.InetService], "endpoints by number"),
            Map(LocalAffinityEndpoints, [parts.AddressType], [parts.AddressType, NftDataType.InetService], "endpoints on this node by number"),
            Clients(AffinityClients, "endpoints, by number, of clients that are remembered"),
            Clients(LocalAffinityClients, "the same for policy Local, where they differ"),
            .. EndpointLists.All.SelectMany(lists => new[] { lists.AffinityMap, lists.LocalAffinityMap }.OfType<string>().Select(
                name => Map(name, lists.NodePorts ? nodePort : service, [parts.AddressType], "frontends with session affinity"))),
            .. EndpointLists.All.SelectMany(lists => SizeClass.Largest.UpTo().Select(size => Frontends(lists, size, lists.Owner switch
            {
                ListOwner.NodePort => nodePort,
                ListOwner.ServicePort => [parts.AddressType],
                _ => service,
            }))),
            Set(FirewallServices, service, "destinations that are subject to LoadBalancerSourceRanges"),
            Set(FirewallSources, [.. service, parts.AddressType], "LoadBalancerSourceRanges") with { Flags = NftSetFlags.Interval },
        ];
        _sets = all.ToDictionary(set => set.Key.Name);
    }

    /// <summary>Those that there are for lists of some sizes.</summary>
    /// <param name="sizes">The sizes of lists that there are.</param>
    /// <param name="kinds">The kinds of lists that there are.</param>
    public IEnumerable<NftSet> All(IReadOnlyCollection<SizeClass> sizes, IReadOnlyCollection<EndpointLists> kinds)
    {
        var unneeded = EndpointLists.All.SelectMany(lists => kinds.Contains(lists)
            ? SizeClass.Largest.UpTo().Except(sizes).Select(lists.SetOf)
            : [lists.Map, .. SizeClass.Largest.UpTo().Select(lists.SetOf), .. new[] { lists.AffinityMap, lists.LocalAffinityMap }.OfType<string>()]).ToHashSet();
        if (!kinds.Contains(EndpointLists.LocalAffinity))
            unneeded.UnionWith([LocalAffinityEndpoints, LocalAffinityClients, .. kinds.Select(lists => lists.LocalAffinityMap).OfType<string>()]);
        return _sets.Values.Where(set => !unneeded.Contains(set.Key.Name));
    }

    public NftSet this[string name] => _sets[name];

    /// <summary>Whether there is a set of that name.</summary>
    public bool Has(string name) => _sets.ContainsKey(name);

    /// <summary>The set of the service ports whose clients are remembered for that many seconds.</summary>
    public NftSet AffinityTimeout(uint seconds) =>
        Set(AffinityTimeoutOf(seconds), [_parts.AddressType], string.Create(CultureInfo.InvariantCulture, $"service ports that remember clients for {seconds} s"));

    /// <summary>Its name.</summary>
    public static string AffinityTimeoutOf(uint seconds) => string.Create(CultureInfo.InvariantCulture, $"{AffinityTimeoutPrefix}{seconds}");

    /// <summary>The seconds in the name of such a set; null for other sets.</summary>
    public static uint? AffinityTimeoutIn(string name) => name.StartsWith(AffinityTimeoutPrefix, StringComparison.Ordinal)
        && uint.TryParse(name.AsSpan(AffinityTimeoutPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && AffinityTimeoutOf(seconds) == name ? seconds : null;

    private NftSet Set(string name, NftDataType[] key, string comment) =>
        new(new NftSetKey(_parts.Table, name)) { KeyType = [.. key], Comment = comment };

    private NftSet VerdictMap(string name, NftDataType[] key, string comment) => Set(name, key, comment) with { Kind = NftSetKind.VerdictMap };

    private NftSet Frontends(EndpointLists lists, SizeClass size, NftDataType[] key) =>
        Set(lists.SetOf(size), key, $"{(lists.Owner == ListOwner.ServicePort ? "service ports" : "frontends")} with {(size.Slots <= 2 ? "" : $"{size.Smaller.Slots + 1} to ")}{size.Slots} endpoints");

    private NftSet Map(string name, NftDataType[] key, NftDataType[] data, string comment) =>
        Set(name, key, comment) with { Kind = NftSetKind.Map, DataType = [.. data] };

    private NftSet Clients(string name, string comment) => AffinityClient.KeyOf(_parts.Family, Set(name, [_parts.AddressType, _parts.AddressType], comment) with
    {
        Kind = NftSetKind.Map,
        DataType = [_parts.AddressType],
        Flags = NftSetFlags.Dynamic | NftSetFlags.Timeout,
        Size = MostClients,
    }, _parts);

    private NftSet NumberMap(string name, string comment) => Map(name, [_parts.AddressType, NftDataType.Integer], [_parts.AddressType], comment) with
    {
        KeyTypeof = [_parts.Saddr, new NftNumgen(1)],
        DataTypeof = [_parts.Daddr],
    };

    // Declared by typeof: nft cannot print a key with numgen in it otherwise. The modulus there is without meaning.
    private NftSet EndpointMap(string name, bool nodePorts, string comment)
    {
        NftExpression[] key = [RuleParts.Protocol, RuleParts.DestinationPort, new NftNumgen(1)];
        NftDataType[] types = [NftDataType.InetProto, NftDataType.InetService, NftDataType.Integer];
        return new NftSet(new NftSetKey(_parts.Table, name))
        {
            Kind = NftSetKind.Map,
            KeyType = nodePorts ? [.. types] : [_parts.AddressType, .. types],
            KeyTypeof = nodePorts ? [.. key] : [_parts.Daddr, .. key],
            DataType = [_parts.AddressType, NftDataType.InetService],
            DataTypeof = [_parts.Daddr, RuleParts.DestinationPort],
            Comment = comment,
        };
    }
}
