using System.Diagnostics.CodeAnalysis;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Nftables;
using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>The table of the nftables backend with the sets and maps that all services share.</summary>
internal class ServiceMaps : TableState
{
    private readonly Dictionary<uint, ElementCollection<FrontendKey, FrontendLabel>> _timeouts = [];
    private readonly Func<uint, ElementCollection<FrontendKey, FrontendLabel>> _timeoutOf;

    [SetsRequiredMembers]
    public ServiceMaps(IpFamily family, FixedSets sets)
    {
        ElementCollection<FrontendKey, AffinityFrontend>? Affinity(string? name, bool nodePorts) =>
            name is null ? null : new(sets[name], new AffinityFrontendCodec(family, nodePorts), Staged);
        ElementCollection<FrontendKey, NoValue> Frontends(string name, bool nodePorts) =>
            new(sets[name], new FrontendCodec(nodePorts ? null : family), Staged);
        Lists ListsOf(EndpointLists lists) => new(
            new(sets[lists.Map], new EndpointSlotCodec(family, lists.NodePorts), Staged),
            [.. SizeClass.Largest.UpTo().Select(size => new ElementCollection<FrontendKey, FrontendLabel>(
                sets[lists.SetOf(size)], new LabelledFrontendCodec(lists.NodePorts ? null : family), Staged))],
            Affinity(lists.AffinityMap, lists.NodePorts),
            Affinity(lists.LocalAffinityMap, lists.NodePorts));
        Lists AffinityListsOf(EndpointLists lists) => new(
            new(sets[lists.Map], new AffinitySlotCodec(family), Staged),
            [.. SizeClass.Largest.UpTo().Select(size => new ElementCollection<FrontendKey, FrontendLabel>(
                sets[lists.SetOf(size)], new LabelledServicePortCodec(family), Staged))],
            null,
            null);
        AffinityMaps AffinityOf(EndpointLists lists, string endpoints, string clients) => new(
            AffinityListsOf(lists), new(sets[endpoints], new AffinityEndpointCodec(family), Staged), sets[clients]);

        _timeoutOf = seconds => new(sets.AffinityTimeout(seconds), new LabelledServicePortCodec(family), Staged);
        AllAffinity = AffinityOf(EndpointLists.Affinity, FixedSets.AffinityEndpoints, FixedSets.AffinityClients);
        LocalAffinity = AffinityOf(EndpointLists.LocalAffinity, FixedSets.LocalAffinityEndpoints, FixedSets.LocalAffinityClients);
        HairpinIps = new(sets[FixedSets.HairpinIps], new HairpinCodec(family), Staged);
        Policies = new FrontendPolicies(family, sets, Staged);
        NodePortIps = new(sets[FixedSets.NodePortIps], new AddressCodec(family), Staged);
        if (sets.Has(FixedSets.LocalhostNodePorts)) LocalhostNodePorts = Frontends(FixedSets.LocalhostNodePorts, nodePorts: true);
        Ips = new(
            ListsOf(EndpointLists.Ips), ListsOf(EndpointLists.LocalIps), Frontends(FixedSets.MasqueradeIps, nodePorts: false),
            Frontends(FixedSets.ExternalLocalIps, nodePorts: false));
        NodePorts = new(
            ListsOf(EndpointLists.Ports), ListsOf(EndpointLists.LocalPorts), Frontends(FixedSets.MasqueradeNodePorts, nodePorts: true),
            Frontends(FixedSets.ExternalLocalNodePorts, nodePorts: true));
        // What others lead to comes first, so that a cold start in several transactions is consistent after each.
        Elements =
        [
            AllAffinity.Endpoints, AllAffinity.Lists.Endpoints, LocalAffinity.Endpoints, LocalAffinity.Lists.Endpoints,
            .. AllAffinity.Lists.Frontends, .. LocalAffinity.Lists.Frontends,
            Ips.All.Endpoints, Ips.Local.Endpoints, NodePorts.All.Endpoints, NodePorts.Local.Endpoints, HairpinIps, Policies.FirewallSources, Policies.FirewallServices,
            Ips.Masqueraded, NodePorts.Masqueraded, .. Ips.Local.Frontends, .. NodePorts.Local.Frontends, Ips.ExternalLocal, NodePorts.ExternalLocal, NodePortIps,
            .. Ips.All.Frontends, .. NodePorts.All.Frontends, Policies.NoEndpointServices, Policies.NoEndpointNodePorts, Policies.ClusterIps,
            .. LocalhostNodePorts is { } localhost ? [localhost] : Array.Empty<ElementCollection>(),
        ];
    }

    /// <summary>Frontends with an address.</summary>
    public FrontendMaps Ips { get; }

    /// <summary>Node ports.</summary>
    public FrontendMaps NodePorts { get; }

    /// <summary>What is refused, and what must not be.</summary>
    public FrontendPolicies Policies { get; }

    public ElementCollection<IpAddr, NoValue> NodePortIps { get; }

    /// <summary>The node ports that <see cref="LocalhostRejects"/> is about; null when it is not there.</summary>
    public ElementCollection<FrontendKey, NoValue>? LocalhostNodePorts { get; }

    public ElementCollection<IpAddr, NoValue> HairpinIps { get; }

    /// <summary>The timeouts of session affinity, in seconds, for which there are collections.</summary>
    public IEnumerable<uint> AffinityTimeouts => _timeouts.Keys;

    /// <summary>Session affinity among all endpoints.</summary>
    public AffinityMaps AllAffinity { get; }

    /// <summary>Session affinity among the endpoints on this node, of frontends with policy Local.</summary>
    public AffinityMaps LocalAffinity { get; }

    /// <summary>The sizes, without the common ones, of lists that are desired or known to be in the kernel.</summary>
    public IEnumerable<SizeClass> SizesInUse => SizeClass.Common.Above().Where(IsInUse);

    /// <summary>The service ports whose clients are remembered for that many seconds.</summary>
    public ElementCollection<FrontendKey, FrontendLabel> AffinityTimeout(uint seconds)
    {
        if (_timeouts.TryGetValue(seconds, out var known)) return known;
        _timeouts.Add(seconds, known = _timeoutOf(seconds));
        Elements = [known, .. Elements];
        return known;
    }

    /// <inheritdoc/>
    public override void Discover(IEnumerable<string> sets)
    {
        foreach (var seconds in sets.Select(FixedSets.AffinityTimeoutIn).OfType<uint>()) AffinityTimeout(seconds);
    }

    /// <inheritdoc/>
    public override IEnumerable<(FrontendKey Frontend, int Slots)>? ListsInKernel(ElementCollection collection) =>
        EachList.FirstOrDefault(lists => lists.Endpoints == collection)?.FrontendsBySize.SelectMany((frontends, exponent) =>
            frontends.KernelKeys.Select(frontend => (frontend, new SizeClass(exponent).Slots)));

    /// <summary>Makes room where nearly every service port has an element.</summary>
    public void Expect(int servicePorts)
    {
        Ips.All.Endpoints.Expect(servicePorts);
        Policies.ClusterIps.Expect(servicePorts);
    }

    /// <summary>The service ports with a list of that size.</summary>
    public IReadOnlyList<RuleOwner> OwnersOf(SizeClass size) => [.. EachList.SelectMany(lists => lists.FrontendsBySize[size.Exponent].Owners).Distinct()];

    /// <summary>Whether the kernel is known to have a list of that size.</summary>
    public bool IsInKernel(SizeClass size) => EachList.Any(lists => lists.FrontendsBySize[size.Exponent].IsInKernel);

    private bool IsInUse(SizeClass size) => EachList.Any(lists => lists.FrontendsBySize[size.Exponent].Count > 0);

    private IEnumerable<Lists> EachList => [Ips.All, Ips.Local, NodePorts.All, NodePorts.Local, AllAffinity.Lists, LocalAffinity.Lists];

    /// <summary>Frontends with an address and node ports differ in the sets and maps that they use, and in nothing else.</summary>
    /// <param name="All">The lists of all endpoints.</param>
    /// <param name="Local">The lists of the endpoints on this node, of frontends with policy Local.</param>
    /// <param name="Masqueraded">Frontends whose connections get the node's address.</param>
    /// <param name="ExternalLocal">Frontends with policy Local, where the list depends on who asks.</param>
    internal sealed record FrontendMaps(
        Lists All,
        Lists Local,
        ElementCollection<FrontendKey, NoValue> Masqueraded,
        ElementCollection<FrontendKey, NoValue> ExternalLocal);

    /// <summary>The lists of endpoints of one kind: see <see cref="EndpointLists"/>.</summary>
    internal sealed record Lists(
        EndpointListCollection Endpoints,
        IReadOnlyList<ElementCollection<FrontendKey, FrontendLabel>> FrontendsBySize,
        ElementCollection<FrontendKey, AffinityFrontend>? Affinity,
        ElementCollection<FrontendKey, AffinityFrontend>? LocalAffinity)
    {
        /// <summary>What leads to the lists.</summary>
        public IEnumerable<ElementCollection> Frontends => [.. FrontendsBySize, .. new ElementCollection?[] { Affinity, LocalAffinity }.OfType<ElementCollection>()];
    }

    /// <summary>What there is for session affinity among some endpoints.</summary>
    /// <param name="Lists">The lists of numbers of endpoints, by the number of the service port.</param>
    /// <param name="Endpoints">The endpoints by number.</param>
    /// <param name="Clients">The clients that are remembered: rules fill it.</param>
    internal sealed record AffinityMaps(Lists Lists, ElementCollection<uint, IpEndpoint> Endpoints, NftSet Clients);
}
