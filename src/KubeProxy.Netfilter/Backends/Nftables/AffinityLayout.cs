using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Nftables;

/// <summary>
/// The chains of session affinity: clients go where they went before. nf_tables can use what a map yields for the key of another map, but nft cannot
/// list that. So what is found on the way is put into the addresses of the packet: the number of the service port into its source, and the number
/// of the endpoint into its destination. Connection tracking knows what they were, and they are that again before the packet goes on. Nobody
/// sees them meanwhile.
/// </summary>
/// <param name="parts">What rules are made of.</param>
internal sealed class AffinityLayout(RuleParts parts)
{
    /// <summary>Where frontends lead to whose connections go to all endpoints.</summary>
    public const string Chain = "affinity";

    /// <summary>Where frontends lead to whose connections go to endpoints on this node.</summary>
    public const string LocalChain = "local-affinity";

    private static readonly Protocol[] Protocols = [Protocol.Tcp, Protocol.Udp, Protocol.Sctp];

    private readonly NftCt _client = NftCt.Original(parts.SaddrField);
    private readonly NftCt _frontendAddress = NftCt.Original(parts.DaddrField);
    private readonly NftConcat _key = AffinityClient.Expression(parts);

    /// <summary>The chains.</summary>
    /// <param name="timeouts">The timeouts that there are, in seconds.</param>
    /// <param name="kinds">The kinds of lists that there are.</param>
    public IEnumerable<ChainDefinition> Chains(IReadOnlyCollection<uint> timeouts, IReadOnlyCollection<EndpointLists> kinds)
    {
        foreach (var chain in AllChains(timeouts)) yield return chain;
        if (!kinds.Contains(EndpointLists.LocalAffinity)) yield break;
        foreach (var chain in LocalChains(timeouts)) yield return chain;
    }

    private IEnumerable<ChainDefinition> AllChains(IReadOnlyCollection<uint> timeouts) =>
    [
        parts.Chain(Chain,
        [
            Recall(FixedSets.AffinityClients, "affinity-known"),
            new NftRule(RuleParts.Jump(EndpointLists.Affinity.Chain)),
            new NftRule(RuleParts.Jump("affinity-remember")),
            new NftRule(RuleParts.Jump("affinity-translate")),
            RestoreDestination,
        ]),
        parts.Chain("affinity-known",
        [
            new NftRule(RuleParts.Jump("affinity-remember")),
            new NftRule(RuleParts.Jump("affinity-translate")),
            .. FindAgain(EndpointLists.Ports.AffinityMap, EndpointLists.Ips.AffinityMap),
            Forget(FixedSets.AffinityClients),
        ], "clients whose endpoint is gone choose anew"),
        parts.Chain("affinity-remember", [.. Remember(timeouts, FixedSets.AffinityClients)]),
        parts.Chain("affinity-translate", [.. Translate(FixedSets.AffinityEndpoints)]),
    ];

    // Who was at an endpoint on this node goes there. Who was at another one is remembered twice, so that it finds both again.
    private IEnumerable<ChainDefinition> LocalChains(IReadOnlyCollection<uint> timeouts)
    {
        ImmutableArray<NftRule> findAgain = [.. FindAgain(EndpointLists.LocalPorts.LocalAffinityMap, EndpointLists.LocalIps.LocalAffinityMap, EndpointLists.Ips.LocalAffinityMap)];
        return
        [
            parts.Chain(LocalChain,
            [
                Recall(FixedSets.AffinityClients, "local-affinity-shared"),
                Recall(FixedSets.LocalAffinityClients, "local-affinity-known"),
                new NftRule(RuleParts.Jump(EndpointLists.LocalAffinity.Chain)),
                new NftRule(RuleParts.Jump("local-affinity-remember")),
                new NftRule(RuleParts.Jump("affinity-remember")),
                new NftRule(RuleParts.Jump("local-affinity-translate")),
                RestoreDestination,
            ]),
            parts.Chain("local-affinity-shared",
                [new NftRule(RuleParts.Jump("affinity-remember")), new NftRule(RuleParts.Jump("local-affinity-translate")), .. findAgain],
                "clients whose endpoint is on another node go on"),
            parts.Chain("local-affinity-known",
                [new NftRule(RuleParts.Jump("local-affinity-remember")), new NftRule(RuleParts.Jump("local-affinity-translate")), .. findAgain, Forget(FixedSets.LocalAffinityClients)],
                "clients whose endpoint is gone choose anew"),
            parts.Chain("local-affinity-remember", [.. Remember(timeouts, FixedSets.LocalAffinityClients)]),
            parts.Chain("local-affinity-translate", [.. Translate(FixedSets.LocalAffinityEndpoints)]),
        ];
    }

    private NftRule Recall(string clients, string chain) =>
        new(new NftSetPayload(parts.DaddrField, new NftMapLookup(_key, clients)), RuleParts.Jump(chain));

    // How long an element lives can only be a constant.
    private IEnumerable<NftRule> Remember(IReadOnlyCollection<uint> timeouts, string clients) => timeouts.Select(seconds => new NftRule(
        new NftSetMatch(parts.Saddr, FixedSets.AffinityTimeoutOf(seconds)),
        new NftDynset(NftDynsetOperation.Update, clients, _key) { Timeout = TimeSpan.FromSeconds(seconds), Data = parts.Daddr }));

    private NftRule Forget(string clients) => new(new NftDynset(NftDynsetOperation.Delete, clients, _key) { Data = parts.Daddr });

    // nft loads a translation by a map with ports only where the protocol is known.
    private IEnumerable<NftRule> Translate(string endpoints)
    {
        yield return RestoreSource;
        foreach (var protocol in Protocols)
        {
            yield return new NftRule(
                new NftMatch(RuleParts.Protocol, NftOperator.Equal, RuleParts.ProtocolNumber(protocol)),
                NftNat.Dnat(new NftMapLookup(parts.Daddr, endpoints), null, targetHasPort: true, parts.Family == IpFamily.IPv6));
        }
    }

    // The number of the service port is gone with the source address; what comes last counts, as frontends with an address come before node ports.
    private IEnumerable<NftRule> FindAgain(string? nodePorts, params ImmutableArray<string?> ips)
    {
        yield return new NftRule(new NftSetPayload(parts.SaddrField, new NftMapLookup(RuleParts.NodePort, nodePorts!)));
        foreach (var map in ips)
        {
            var frontend = new NftConcat(_frontendAddress, RuleParts.Protocol, RuleParts.DestinationPort);
            yield return new NftRule(new NftSetPayload(parts.SaddrField, new NftMapLookup(frontend, map!)));
        }
    }

    private NftRule RestoreSource => new(new NftSetPayload(parts.SaddrField, _client));

    private NftRule RestoreDestination => new(new NftSetPayload(parts.DaddrField, _frontendAddress));
}
