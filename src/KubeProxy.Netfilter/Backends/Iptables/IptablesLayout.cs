using System.Collections.Immutable;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Iptables;

namespace KubeProxy.Netfilter.Backends.Iptables;

/// <summary>What is there without any service: the fixed chains, their rules, and the jumps to them from the standard chains.</summary>
internal sealed class IptablesLayout
{
    /// <summary>The tables that the proxy has rules in.</summary>
    public static ImmutableArray<IptablesTable> Tables { get; } = [IptablesTable.Filter, IptablesTable.Nat, IptablesTable.Mangle];

    public const string InvalidDropped = "ct_state_invalid_dropped_pkts";
    public const string LocalhostAccepted = "localhost_nps_accepted_pkts";

    private static readonly AddressMatch Loopback4 = new(Cidr.Parse("127.0.0.0/8"));
    private static readonly AddressMatch Loopback6 = new(Cidr.Parse("::1/128"));
    private static readonly ConntrackMatch New = new(ConntrackStates.New);

    private readonly IpFamily _family;
    private readonly uint _mark;

    public IptablesLayout(IpFamily family, MasqueradePolicy masquerade)
    {
        (_family, _mark) = (family, masquerade.Mark);
        Firewall = Rule(
            IptablesTarget.Drop,
            new CommentMatch("block incoming localnet connections"),
            new ConntrackMatch(ConntrackStates.Related | ConntrackStates.Established | ConntrackStates.Dnat, Negated: true))
            with { Source = Loopback4 with { Negated = true }, Destination = Loopback4 };
    }

    /// <summary>Chains whose every rule is ours and that many owners put rules into.</summary>
    public static ImmutableArray<IptablesChain> SharedChains { get; } =
    [
        new(IptablesTable.Nat, ChainNames.Services), new(IptablesTable.Nat, ChainNames.NodePorts),
        new(IptablesTable.Filter, ChainNames.Services), new(IptablesTable.Filter, ChainNames.ExternalServices),
        new(IptablesTable.Filter, ChainNames.NodePorts), new(IptablesTable.Filter, ChainNames.ProxyFirewall),
    ];

    /// <summary>Chains with rules of others in them: the standard ones, one that kubelet uses too, and canaries, which have none.</summary>
    public static ImmutableArray<IptablesChain> ForeignChains { get; } =
    [
        new(IptablesTable.Filter, "INPUT"), new(IptablesTable.Filter, "FORWARD"), new(IptablesTable.Filter, "OUTPUT"),
        new(IptablesTable.Nat, "PREROUTING"), new(IptablesTable.Nat, "OUTPUT"), new(IptablesTable.Nat, "POSTROUTING"),
        new(IptablesTable.Filter, ChainNames.Firewall),
        new(IptablesTable.Filter, ChainNames.Canary), new(IptablesTable.Nat, ChainNames.Canary), new(IptablesTable.Mangle, ChainNames.Canary),
    ];

    /// <summary>Chains with a fixed content.</summary>
    public static ImmutableArray<IptablesChain> FixedChains { get; } =
    [
        new(IptablesTable.Nat, ChainNames.Postrouting), new(IptablesTable.Nat, ChainNames.MarkMasquerade),
        new(IptablesTable.Filter, ChainNames.Forward),
    ];

    /// <summary>
    /// The jumps from the standard chains, in the order in which upstream puts each at the beginning of its chain: the last
    /// one stands first.
    /// </summary>
    public static ImmutableArray<SharedRule> Jumps { get; } =
    [
        Jump(IptablesTable.Filter, "INPUT", ChainNames.ExternalServices, New, "kubernetes externally-visible service portals"),
        Jump(IptablesTable.Filter, "FORWARD", ChainNames.ExternalServices, New, "kubernetes externally-visible service portals"),
        Jump(IptablesTable.Filter, "INPUT", ChainNames.NodePorts, null, "kubernetes health check service ports"),
        Jump(IptablesTable.Filter, "FORWARD", ChainNames.Services, New, "kubernetes service portals"),
        Jump(IptablesTable.Filter, "OUTPUT", ChainNames.Services, New, "kubernetes service portals"),
        Jump(IptablesTable.Filter, "FORWARD", ChainNames.Forward, null, "kubernetes forwarding rules"),
        Jump(IptablesTable.Filter, "INPUT", ChainNames.ProxyFirewall, New, "kubernetes load balancer firewall"),
        Jump(IptablesTable.Filter, "OUTPUT", ChainNames.ProxyFirewall, New, "kubernetes load balancer firewall"),
        Jump(IptablesTable.Filter, "FORWARD", ChainNames.ProxyFirewall, New, "kubernetes load balancer firewall"),
        Jump(IptablesTable.Nat, "OUTPUT", ChainNames.Services, null, "kubernetes service portals"),
        Jump(IptablesTable.Nat, "PREROUTING", ChainNames.Services, null, "kubernetes service portals"),
        Jump(IptablesTable.Nat, "POSTROUTING", ChainNames.Postrouting, null, "kubernetes postrouting rules"),
        Jump(IptablesTable.Filter, "INPUT", ChainNames.Firewall, null, null),
        Jump(IptablesTable.Filter, "OUTPUT", ChainNames.Firewall, null, null),
    ];

    /// <summary>Keeps packets to loopback addresses out that come from elsewhere; needed once route_localnet is on.</summary>
    public IptablesRule Firewall { get; }

    /// <summary>The rules of a fixed chain.</summary>
    /// <param name="chain">One of <see cref="FixedChains"/>.</param>
    /// <param name="features">What the node can do.</param>
    public ImmutableArray<IptablesRule> RulesOf(IptablesChain chain, NodeFeatures features) => chain.Name switch
    {
        ChainNames.Postrouting =>
        [
            Rule(IptablesTarget.Return, new MarkMatch(_mark, _mark, Negated: true)),
            // The mark goes, so that the packet is not masqueraded again when it comes by a second time.
            Rule(MarkTarget.Xor(_mark)),
            Rule(new MasqueradeTarget(RandomFully: true), new CommentMatch("kubernetes service traffic requiring SNAT")),
        ],
        ChainNames.MarkMasquerade => [Rule(MarkTarget.Or(_mark))],
        _ => ForwardRules(features),
    };

    /// <summary>The rules that lead to the node ports, which have to be the last of their chain.</summary>
    /// <param name="addresses">The addresses where node ports are open; null for all of the node's.</param>
    /// <param name="localhost">Loopback addresses too.</param>
    public IEnumerable<IptablesRule> NodePortRules(IEnumerable<IpAddr>? addresses, bool localhost)
    {
        var comment = new CommentMatch("kubernetes service nodeports; NOTE: this must be the last rule in this chain");
        var target = IptablesTarget.Jump(ChainNames.NodePorts);
        if (addresses is not null)
            return addresses.Select(address => Rule(target, comment) with { Destination = new AddressMatch(Cidr.Single(address)) });
        var loopback = _family == IpFamily.IPv6 ? Loopback6 : Loopback4;
        return
        [
            Rule(target, comment, new AddressTypeMatch(AddressTypes.None, AddressTypes.Local))
                with { Destination = localhost ? null : loopback with { Negated = true } },
        ];
    }

    /// <summary>A rule of these matches.</summary>
    public static IptablesRule Rule(IptablesTarget? target, params ImmutableArray<IptablesMatch> matches) => new() { Matches = matches, Target = target };

    private ImmutableArray<IptablesRule> ForwardRules(NodeFeatures features)
    {
        var accept = Rule(IptablesTarget.Accept, new CommentMatch("kubernetes forwarding rules"), new MarkMatch(_mark, _mark));
        var related = Rule(
            IptablesTarget.Accept,
            new CommentMatch("kubernetes forwarding conntrack rule"),
            new ConntrackMatch(ConntrackStates.Related | ConntrackStates.Established));
        if (features.LiberalTcp) return [accept, related];
        var invalid = new ConntrackMatch(ConntrackStates.Invalid);
        return
        [
            features.Accounting ? Rule(IptablesTarget.Drop, invalid, new AccountingMatch(InvalidDropped)) : Rule(IptablesTarget.Drop, invalid),
            accept,
            related,
        ];
    }

    private static SharedRule Jump(IptablesTable table, string from, string to, IptablesMatch? extra, string? comment)
    {
        ImmutableArray<IptablesMatch> matches = [.. new[] { extra, comment is null ? null : new CommentMatch(comment) }.OfType<IptablesMatch>()];
        return new SharedRule(new IptablesChain(table, from), Rule(IptablesTarget.Jump(to), matches));
    }
}

/// <summary>What the kernel and the node can do, as found at the start.</summary>
/// <param name="Accounting">There are accounting objects, which some rules count in.</param>
/// <param name="LiberalTcp">Connection tracking takes no TCP packet for invalid (<c>nf_conntrack_tcp_be_liberal</c>).</param>
internal readonly record struct NodeFeatures(bool Accounting, bool LiberalTcp);
