using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Backends.Relay;
using KubeProxy.Netfilter.Backends.Table;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>
/// The chains and rules of the userspace backend; see <c>docs/userspace.md</c> for the way of a packet. Nothing is translated:
/// packets of frontends get the mark, by which they are routed to this host, and are given to the relay's sockets. Those inside of
/// a bridge are the exception: <see cref="Bridged"/>.
/// </summary>
internal sealed class RelayLayout(RuleParts parts, MasqueradePolicy policy, Func<RelayInlet, ushort> portOf)
{
    /// <summary>
    /// The chain that translates what passes these rules inside of a bridge already (br_netfilter): on its way out of the bridge a packet
    /// loses the socket that tproxy gave it, and does not come by here again.
    /// </summary>
    public const string Bridged = "nat-prerouting-bridged";

    public const string ExternalLocal = "external-local";
    public const string ExternalNone = "external-none";

    private const string Relay = "relay";
    private const string ShortCircuit = "relay-short-circuit";
    private const string Answers = "answers";
    private const string Direct = "direct";

    private readonly PolicyChains _policies = new(parts);

    // The kernel's own priorities: before firewalls and what translates addresses, after connection tracking.
    private const int Mangle = -150;
    private const int DestinationNat = -100;

    /// <summary>The table: it goes when this process does, so that nothing leads to a relay that is not there.</summary>
    public NftTable Table { get; } = new(parts.Table) { Comment = "rules for kube-proxy", Flags = NftTableFlags.Owner };

    /// <summary>The chains with their rules, those with hooks last.</summary>
    /// <param name="node">The node.</param>
    /// <param name="translation">What becomes of packets inside of bridges.</param>
    public IEnumerable<ChainDefinition> Chains(NodePlan node, BridgeTranslation translation) =>
    [
        .. _policies.Define(node),
        parts.Chain(Relay, [.. ToRelay(RelayEntrance.Frontend, translation)]),
        parts.Chain(ShortCircuit, [.. ToRelay(RelayEntrance.ShortCircuit, translation)]),
        parts.Chain(ExternalLocal, [.. FromInside(), new NftRule(RuleParts.Goto(Relay))]),
        parts.Chain(ExternalNone, [.. FromInside()]),
        parts.Chain(Direct, [.. DirectRules()]),
        parts.Chain(Answers, [new NftRule(new NftMatch(new NftSocket(NftSocketKey.Transparent), NftOperator.Equal, new NftConstant(NftDataType.Integer, new NftData([1]))), RuleParts.Return), new NftRule(RuleParts.Accept)]),
        parts.Hooked("filter-prerouting-pre-relay", NftChainType.Filter, NftHook.Prerouting, -110, [RuleParts.OnNew(PolicyChains.Firewall)]),
        parts.Hooked("filter-output-pre-relay", NftChainType.Filter, NftHook.Output, -110, [RuleParts.OnNew(PolicyChains.Firewall)]),
        parts.Hooked("filter-input", NftChainType.Filter, NftHook.Input, 0, [UnlessRelayed(Direct), UnlessRelayed(PolicyChains.NodePortEndpoints), UnlessRelayed(PolicyChains.ServiceEndpoints)]),
        parts.Hooked("filter-forward", NftChainType.Filter, NftHook.Forward, 0, [UnlessRelayed(PolicyChains.ServiceEndpoints), UnlessRelayed(PolicyChains.ClusterIps)]),
        parts.Hooked("filter-output", NftChainType.Filter, NftHook.Output, 0, [UnlessRelayed(PolicyChains.ServiceEndpoints), UnlessRelayed(PolicyChains.ClusterIps)]),
        parts.Hooked("relay-prerouting", NftChainType.Filter, NftHook.Prerouting, Mangle, [.. PreroutingRules(node)]),
        parts.Hooked("relay-output", NftChainType.Route, NftHook.Output, Mangle, [.. OutputRules(node)]),
        .. translation == BridgeTranslation.Never
            ? Array.Empty<ChainDefinition>()
            : [parts.Hooked(Bridged, NftChainType.Nat, NftHook.Prerouting, DestinationNat, translation == BridgeTranslation.Now ? [.. BridgedRules()] : [])],
    ];

    private IEnumerable<NftRule> PreroutingRules(NodePlan node)
    {
        // An entry that got lost may have come back with an answer of the relay: then its clients seem to be the ones who answer.
        yield return new NftRule(IsReply, RuleParts.Jump(Answers)) { Comment = "answers to connections of others" };
        yield return Ignore(IsTranslated, "connections that someone translates already");
        yield return new NftRule(FromLoopback, IsNotMarked, RuleParts.Return) { Comment = "this node's own packets have the mark from output" };
        yield return new NftRule(new NftVerdictMapStatement(parts.Frontend, RelayMaps.ExternalIps));
        yield return new NftRule(new NftSetMatch(parts.Frontend, RelayMaps.Ips), RuleParts.Goto(Relay));
        NftStatement[] toNodePort = [.. parts.NodePortConditions(node, locally: true)];
        yield return new NftRule([.. toNodePort, new NftVerdictMapStatement(RuleParts.NodePort, RelayMaps.ExternalNodePorts)]);
        yield return new NftRule([.. toNodePort, new NftSetMatch(RuleParts.NodePort, RelayMaps.NodePorts), RuleParts.Goto(Relay)]);
        yield return new NftRule(Is(Protocol.Tcp), new NftMatch(new NftSocket(NftSocketKey.Transparent), NftOperator.Equal, new NftConstant(NftDataType.Integer, new NftData([1]))), parts.Mark, RuleParts.Accept) { Comment = "connections to frontends that went" };
    }

    private IEnumerable<NftRule> OutputRules(NodePlan node)
    {
        yield return Ignore(new NftMatch(new NftSocket(NftSocketKey.Transparent), NftOperator.Equal, new NftConstant(NftDataType.Integer, new NftData([1]))), "the relay's own packets");
        yield return Ignore(IsReply, "answers to connections of others");
        yield return Ignore(IsTranslated, "connections that someone translates already");
        yield return new NftRule(Is(Protocol.Tcp), IsRelayed, parts.Mark, RuleParts.Accept) { Comment = "connections that the relay has, also to frontends that went" };
        yield return new NftRule(new NftSetMatch(parts.Frontend, RelayMaps.Ips), Remember, parts.Mark, RuleParts.Accept);
        // These are routed to this host without the mark, and so to the relay's socket when their frontend went.
        yield return new NftRule([.. parts.NodePortConditions(node, locally: true), new NftSetMatch(RuleParts.NodePort, RelayMaps.NodePorts), parts.Mark, RuleParts.Accept]);
    }

    // The policy is about traffic from outside; pods and the node itself reach every endpoint.
    private IEnumerable<NftRule> FromInside()
    {
        if (parts.FromPods(negated: false) is { } fromPods)
            yield return new NftRule(fromPods, RuleParts.Goto(ShortCircuit)) { Comment = "short-circuit pod traffic" };
        yield return new NftRule(RuleParts.FromThisNode, RuleParts.Goto(ShortCircuit)) { Comment = "short-circuit local traffic" };
    }

    // When there is a transparent socket for the connection the packet goes there, else to the one that listens.
    private IEnumerable<NftRule> ToRelay(RelayEntrance entrance, BridgeTranslation translation)
    {
        NftStatement[] remembered = entrance == RelayEntrance.ShortCircuit ? [Remember] : [];
        if (translation == BridgeTranslation.Now)
            yield return new NftRule([FromBridge, .. remembered, parts.Mark, RuleParts.Accept]) { Comment = "translated later" };
        foreach (var inlet in RelayInlet.All.Where(inlet => inlet.Entrance == entrance && !inlet.Translated))
            yield return new NftRule(Is(inlet.Protocol), new NftTproxy(Loopback, portOf(inlet)), parts.Mark, RuleParts.Accept);
    }

    // Chains of this type see the first packet of a connection. Those of the second entrance are known by the connection's mark.
    private IEnumerable<NftRule> BridgedRules() =>
        from inlet in RelayInlet.All
        where inlet.Translated
        orderby inlet.Entrance descending
        select new NftRule(
        [
            FromBridge, parts.IsMarked, .. inlet.Entrance == RelayEntrance.ShortCircuit ? [IsRelayed] : Array.Empty<NftStatement>(),
            Is(inlet.Protocol), NftNat.Redirect(RuleParts.Port(portOf(inlet))),
        ]);

    // The ports for what is translated are open on all addresses: for everybody else they are as if they were not.
    private IEnumerable<NftRule> DirectRules() =>
        from inlet in RelayInlet.All
        where inlet.Translated
        select new NftRule(
            IsNotTranslated, Is(inlet.Protocol), new NftMatch(RuleParts.DestinationPort, NftOperator.Equal, RuleParts.Port(portOf(inlet))),
            new NftReject(TcpReset: inlet.Protocol == Protocol.Tcp));

    private NftConstant Loopback => RuleParts.Address(IpAddr.Parse(parts.Family == IpFamily.IPv4 ? "127.0.0.1" : "::1"));

    private NftStatement IsNotMarked => new NftBitsMatch(new NftMeta(NftMetaKey.Mark), policy.Mark, None: true);

    // By the mark of the connection: no rule in output can find the socket at the other end.
    private NftStatement Remember => new NftSetCt(NftCtKey.Mark, new NftBitwise(ConnectionMark, ~policy.Mark, policy.Mark));

    private NftStatement IsRelayed => new NftBitsMatch(ConnectionMark, policy.Mark);

    private static NftCt ConnectionMark => new(NftCtKey.Mark);

    private static NftStatement FromLoopback => new NftMatch(RuleParts.InputInterface, NftOperator.Equal, RuleParts.InterfaceName("lo"));

    private static NftStatement IsReply => new NftMatch(
        new NftCt(NftCtKey.Direction), NftOperator.Equal, new NftConstant(NftDataType.CtDir, new NftData([(byte)NftCtDirection.Reply])));

    private static NftStatement IsTranslated => new NftBitsMatch(new NftCt(NftCtKey.Status), (uint)NftCtStatus.Dnat);

    private static NftStatement IsNotTranslated => new NftBitsMatch(new NftCt(NftCtKey.Status), (uint)NftCtStatus.Dnat, None: true);

    private static NftStatement FromBridge => new NftMatch(
        new NftMeta(NftMetaKey.Iifkind), NftOperator.Equal, RuleParts.InterfaceName("bridge"));

    private static NftMatch Is(Protocol protocol) => new(RuleParts.Protocol, NftOperator.Equal, RuleParts.ProtocolNumber(protocol));

    private static NftRule Ignore(NftStatement condition, string comment) => new(condition, RuleParts.Return) { Comment = comment };

    private NftRule UnlessRelayed(string chain) => new(IsNotMarked, RuleParts.NewConnection, RuleParts.Jump(chain));
}
