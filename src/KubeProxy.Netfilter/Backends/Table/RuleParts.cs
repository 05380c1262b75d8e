using System.Collections.Immutable;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>The parts that the rules of one address family are made of.</summary>
internal sealed class RuleParts(IpFamily family, MasqueradePolicy policy)
{
    public IpFamily Family => family;

    public NftTableKey Table { get; } = TableOf(family);

    public static NftTableKey TableOf(IpFamily family) => new(family == IpFamily.IPv4 ? NftFamily.Ip : NftFamily.Ip6, "kube-proxy");

    public NftDataType AddressType { get; } = family == IpFamily.IPv4 ? NftDataType.Ipv4Addr : NftDataType.Ipv6Addr;

    public NftExpression Saddr { get; } = new NftPayload(family == IpFamily.IPv4 ? NftField.IpSaddr : NftField.Ip6Saddr);

    public NftField SaddrField { get; } = family == IpFamily.IPv4 ? NftField.IpSaddr : NftField.Ip6Saddr;

    public NftField DaddrField { get; } = family == IpFamily.IPv4 ? NftField.IpDaddr : NftField.Ip6Daddr;

    public NftExpression Daddr { get; } = new NftPayload(family == IpFamily.IPv4 ? NftField.IpDaddr : NftField.Ip6Daddr);

    public static NftExpression Protocol { get; } = new NftMeta(NftMetaKey.L4proto);

    public static NftExpression DestinationPort { get; } = new NftPayload(NftField.ThDport);

    /// <summary>What frontends are found by.</summary>
    public NftConcat Frontend => new(Daddr, Protocol, DestinationPort);

    /// <summary>What node ports are found by.</summary>
    public static NftConcat NodePort => new(Protocol, DestinationPort);

    /// <summary>What frontends of one kind are found by.</summary>
    public NftConcat FrontendOf(bool nodePorts) => nodePorts ? NodePort : Frontend;

    /// <summary>What the owners of lists are found by. A service port's number stands in the source address meanwhile.</summary>
    public NftExpression OwnerOf(EndpointLists lists) => lists.Owner == ListOwner.ServicePort ? Saddr : FrontendOf(lists.NodePorts);

    public static NftStatement NewConnection { get; } = new NftBitsMatch(new NftCt(NftCtKey.State), (uint)NftCtState.New);

    /// <summary>Asks for masquerading in postrouting.</summary>
    public NftStatement Mark { get; } =
        new NftSetMeta(NftMetaKey.Mark, new NftBitwise(new NftMeta(NftMetaKey.Mark), ~policy.Mark, policy.Mark));

    public NftStatement IsMarked { get; } = new NftBitsMatch(new NftMeta(NftMetaKey.Mark), policy.Mark);

    public NftStatement Unmark { get; } =
        new NftSetMeta(NftMetaKey.Mark, new NftBitwise(new NftMeta(NftMetaKey.Mark), uint.MaxValue, policy.Mark));

    public static NftStatement FromThisNode { get; } = IsLocal(NftFibAddress.Saddr);

    public static NftStatement ToThisNode { get; } = IsLocal(NftFibAddress.Daddr);

    public NftStatement NotToLoopback { get; } = family == IpFamily.IPv4
        ? Prefix(new NftPayload(NftField.IpDaddr), NftOperator.NotEqual, Cidr.Parse("127.0.0.0/8"))
        : Prefix(new NftPayload(NftField.Ip6Daddr), NftOperator.NotEqual, Cidr.Parse("::1/128"));

    /// <summary>The condition for pods of this cluster, or for everybody else; null when they cannot be told apart.</summary>
    public NftStatement? FromPods(bool negated)
    {
        var op = negated ? NftOperator.NotEqual : NftOperator.Equal;
        return policy.LocalDetector switch
        {
            LocalTrafficDetector.Source source when source.Cidr.Family == family => Prefix(Saddr, op, source.Cidr),
            LocalTrafficDetector.Bridge bridge => new NftMatch(InputInterface, op, InterfaceName(bridge.Interface)),
            LocalTrafficDetector.InterfacePrefix { Prefix: var prefix } =>
                new NftPrefixMatch(InputInterface, op, InterfaceName(prefix), Encoding.UTF8.GetByteCount(prefix) * 8),
            _ => null,
        };
    }

    /// <summary>The conditions for packets to an address that accepts node ports.</summary>
    /// <param name="node">Says which addresses do.</param>
    /// <param name="locally">Every address of this node that does, but no other's.</param>
    public IEnumerable<NftStatement> NodePortConditions(NodePlan node, bool locally)
    {
        if (!node.NodePortAddresses.IsEmpty) return [new NftSetMatch(Daddr, FixedSets.NodePortIps)];
        return locally ? [ToThisNode, NotToLoopback] : [NotToLoopback];
    }

    public NftStatement DaddrIn(Cidr cidr) => Prefix(Daddr, NftOperator.Equal, cidr);

    public static NftStatement Goto(string chain) => new NftVerdictStatement(NftVerdict.Goto(chain));

    public static NftStatement Jump(string chain) => new NftVerdictStatement(NftVerdict.Jump(chain));

    public static NftStatement Accept { get; } = new NftVerdictStatement(NftVerdict.Accept);

    public static NftStatement Return { get; } = new NftVerdictStatement(NftVerdict.Return);

    public static NftStatement Drop { get; } = new NftVerdictStatement(NftVerdict.Drop);

    public static NftConstant ProtocolNumber(Protocol protocol) => new(NftDataType.InetProto, new NftData([(byte)protocol]));

    public static NftConstant Port(ushort port) => new(NftDataType.InetService, NftValue.Port(port));

    public static NftConstant Address(IpAddr address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.WriteBytes(bytes);
        return new NftConstant(
            address.Family == IpFamily.IPv4 ? NftDataType.Ipv4Addr : NftDataType.Ipv6Addr, new NftData(bytes[..address.Length]));
    }

    public static NftExpression InputInterface { get; } = new NftMeta(NftMetaKey.Iifname);

    /// <summary>Leads new connections to a chain.</summary>
    public static NftRule OnNew(string chain) => new(NewConnection, Jump(chain));

    /// <summary>A chain that others lead to.</summary>
    public ChainDefinition Chain(string name, ImmutableArray<NftRule> rules, string? comment = null) =>
        new(new NftChain(new NftChainKey(Table, name)) { Comment = comment }, rules);

    /// <summary>A chain that sees packets.</summary>
    public ChainDefinition Hooked(string name, NftChainType type, NftHook hook, int priority, ImmutableArray<NftRule> rules) =>
        new(new NftChain(new NftChainKey(Table, name)) { Base = new NftBaseChain(type, hook, priority) }, rules);

    private static NftMatch IsLocal(NftFibAddress address) => new(
        NftFib.TypeOf(address), NftOperator.Equal,
        new NftConstant(NftDataType.FibAddrType, new NftData(BitConverter.GetBytes((uint)NftAddrType.Local))));

    private static NftStatement Prefix(NftExpression field, NftOperator op, Cidr cidr) => cidr.PrefixLength == cidr.First.Length * 8
        ? new NftMatch(field, op, Address(cidr.First))
        : new NftPrefixMatch(field, op, Address(cidr.First), cidr.PrefixLength);

    /// <summary>A name of at most 15 bytes, or the beginning of one.</summary>
    /// <exception cref="ArgumentException">It is longer: the kernel knows no such name.</exception>
    public static NftConstant InterfaceName(string name) => new(NftDataType.Ifname, NftValue.Ifname(name));
}
